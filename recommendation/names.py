"""The classes of this room that files may name: the settings of recommenders."""

from __future__ import annotations

from ..runtime.names import Names

PLACES = {
    "Factorisation": "hemline.recommendation.models.factorisation:Factorisation",
    "FashionDNA": "hemline.recommendation.fashion_dna.estimator:FashionDNA",
    "ItemKNN": "hemline.recommendation.models.item_knn:ItemKNN",
    "Popularity": "hemline.recommendation.models.popularity:Popularity",
    "StyleOverTime": "hemline.recommendation.style.estimator:StyleOverTime",
}

NAMES = Names(PLACES)
