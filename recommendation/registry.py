"""Recommenders by name."""

from __future__ import annotations

from collections.abc import Mapping

from ..runtime.arguments.kinds import checked
from ..runtime.plain import override
from .contract.recommender import Recommender
from .fashion_dna.estimator import FashionDNA
from .models.factorisation import Factorisation
from .models.item_knn import ItemKNN
from .models.popularity import Popularity
from .style.estimator import StyleOverTime

RECOMMENDERS: dict[str, tuple[Recommender, str]] = {
    "popularity": (Popularity(), "what sold best of all time"),
    "popularity-recent": (Popularity(weeks=4), "what sold best in the last four weeks"),
    "als": (Factorisation(), "matrix factorisation by alternating least squares, of the library implicit"),
    "bpr": (Factorisation(loss="bpr", iterations=100), "Bayesian personalised ranking, of the library implicit"),
    "item-knn": (ItemKNN(), "what looks like what a customer bought; new articles too"),
    "fashion-dna": (FashionDNA(), "vectors of articles by labels, photos and sales; new articles and customers too"),
    "style": (StyleOverTime(), "a customer's style over time, by an LSTM over what was bought"),
    "style-static": (StyleOverTime(memory="mean"), "the same by the mean of what was bought, without order or time"),
}
"""The settings of each, and what it is."""


@checked
def build_recommender(name: str, settings: Mapping[str, object] | None = None) -> Recommender:
    """Make a recommender by its name.

    Arguments:
        name: one of `RECOMMENDERS`: ``"popularity"``, ``"popularity-recent"``, ``"als"``, ``"bpr"``, ``"item-knn"``,
            ``"fashion-dna"``, ``"style"`` or ``"style-static"``.
        settings: changes of its settings, by name.

    Returns:
        The recommender, to be fitted.

    Raises:
        ValueError: the name or a setting is not known, or a value is out of its range.

    Example:
        >>> build_recommender("popularity", {"weeks": 2})
        Popularity(weeks=2)
    """
    if name not in RECOMMENDERS:
        raise ValueError(f"model: expected one of {', '.join(RECOMMENDERS)}, got {name!r}")
    return override(RECOMMENDERS[name][0], settings or {})
