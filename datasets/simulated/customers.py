"""Simulated customers: what they would buy of the articles of a real catalogue, and the tastes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from ...runtime.arguments.kinds import Checked, Count, NotNegative, Positive, Seed, Share, Within, checked
from ...runtime.display.showing import Shown
from ..pictures.catalogue import Catalogue
from ..pictures.vectors import ArticleVectors
from ..purchases.on_sale import WEEK, OnSale
from ..purchases.purchases import Purchases
from .customer_truth import CustomerTruth

FIRST_DAY = np.datetime64("2023-01-02", "s")


@dataclass(frozen=True)
class Behaviour(Checked):
    """How simulated customers buy.

    Arguments:
        tastes: dimensions of the taste space.
        tags: share of the variance of an article's place in it that its labels say.
        pictures: share that its vectors say; what is left of 1 no photo and no label shows.
        choosiness: standard deviation of what tastes do to the log odds of an article.
        popularity: standard deviation of what is common to all customers, of which labels and vectors say as much as of
            tastes.
        season: amplitude of the season of an article, log odds; its phase goes by the first label column.
        baskets: mean number of baskets of a customer a year.
        basket: mean number of articles in a basket.
        drift: weeks after which the correlation of a customer's taste with itself has fallen to 1/e; ``None`` for
            tastes that stay.
        drop: weeks between two collections.
        launched: share of the articles that come with a collection after the first week.
        stays: the least and the largest number of weeks that an article stays on sale.
        returns: share of the purchases that come back.

    Raises:
        ValueError: an argument is out of its range, or the shares sum to more than 1.
    """

    tastes: Count = 8
    tags: Share = 0.4
    pictures: Share = 0.4
    choosiness: NotNegative = 2.0
    popularity: NotNegative = 0.8
    season: NotNegative = 0.5
    baskets: Positive = 18.0
    basket: Annotated[float, Within(1)] = 1.8
    drift: Positive | None = None
    drop: Count = 8
    launched: Share = 0.6
    stays: tuple[Count, Count] = (24, 104)
    returns: Share = 0.0

    def __post_init__(self) -> None:
        if self.tags + self.pictures > 1:
            raise ValueError(f"pictures: expected at most {1 - self.tags:g} beside tags, got {self.pictures:g}")
        if self.stays[0] > self.stays[1]:
            raise ValueError(f"stays: expected the least and the largest number of weeks, got {self.stays}")


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedPurchases(Shown):
    """Simulated purchases and what they were made of; see `simulated_purchases`.

    Arguments:
        purchases: who bought what, in time.
        on_sale: when each article is in the shop.
        truth: tastes, places of the articles, popularity and seasons.
        behaviour: how customers buy.
        weeks: how long.
        seed: of the numbers.
    """

    purchases: Purchases
    on_sale: OnSale
    truth: CustomerTruth = field(repr=False)
    behaviour: Behaviour
    weeks: int
    seed: int

    def _shown(self) -> dict[str, object]:
        """What the purchases say of themselves, weeks and seed."""
        return {**self.purchases._shown(), "weeks": self.weeks, "seed": self.seed}

    def week(self, number: int) -> np.datetime64:
        """The first second of a week, 0 the first."""
        return FIRST_DAY + number * WEEK


@checked
def simulated_purchases(
    catalogue: Catalogue,
    vectors: ArticleVectors | None = None,
    *,
    customers: Count = 1000,
    weeks: Count = 72,
    behaviour: Behaviour | None = None,
    labels: Sequence[str] | None = None,
    seed: Seed = 0,
) -> SimulatedPurchases:
    """Simulate who buys what of the articles of a real catalogue, with planted tastes.

    * **Taste space.** The place of an article is a sum of three parts: random directions of its labels, principal axes
      of its `vectors` (of an encoder that no model should read that is then judged here), and a part that nothing
      shows. A customer's taste is a normal vector; with `Behaviour.drift` each of its numbers is an autoregression in
      weeks, with the same spread at any time.
    * **Popularity** of an article is made of the same three parts; its **season** goes by its first label.
    * **Collections** come every few weeks; articles stay for a while and go.
    * **Baskets** come by a Poisson process, at a rate that differs between customers (gamma, shape 2); a basket has one
      article and a Poisson number of further ones. Articles are drawn without replacement among those that are on sale
      and that this customer has not bought yet, with odds ``exp(taste · place + popularity + season)``.

    The same arguments give the same numbers.

    Arguments:
        catalogue: the articles; a label column with the name ``price`` is not read.
        vectors: of the encoder in which tastes are planted; ``None`` where photos are to say nothing, whose share then
            is one that nothing shows.
        customers: how many.
        weeks: how long, from Monday, 2 January 2023 on.
        behaviour: how they buy.
        labels: the label columns that tastes are planted in; by default all.
        seed: of all draws.

    Returns:
        The purchases, and what they were made of.

    Raises:
        ValueError: the catalogue has fewer articles than the taste space has dimensions, or has no label column.

    Example:
        >>> from hemline.datasets.pictures.catalogue import Article
        >>> shop = [Article(f"a{i}", labels={"colour": (("red", "blue")[i % 2],)}) for i in range(40)]
        >>> made = simulated_purchases(Catalogue(tuple(shop), ("colour",)), customers=20, weeks=16)
        >>> made.truth.place.shape, len(made.purchases.customers)
        ((40, 8), 20)
    """
    behaviour = behaviour or Behaviour()
    n, k = len(catalogue), behaviour.tastes
    used = tuple(labels) if labels is not None else catalogue.columns
    if n <= k:
        raise ValueError(f"catalogue: expected more than {k} articles, got {n}")
    if not used or any(name not in catalogue.columns for name in used):
        raise ValueError(f"labels: expected some of the columns {list(catalogue.columns)}, got {list(used)}")
    rng = np.random.default_rng(seed)
    place = places(catalogue, vectors, used, k + 1, behaviour, rng)
    place, popularity = place[:, :k], behaviour.popularity * place[:, k]
    kinds = [next(iter(article.labels.get(used[0], ("",))), "") for article in catalogue.articles]
    phase_of = {kind: rng.uniform(0, 1) for kind in sorted(set(kinds))}
    phase = np.array([phase_of[kind] for kind in kinds]) + rng.normal(0, 0.05, n)
    begin, end = _lives(n, weeks, behaviour, rng)
    truth = CustomerTruth(
        place=place,
        popularity=popularity,
        phase=phase,
        taste=tastes(customers, weeks, behaviour, rng),
        rate=rng.gamma(2.0, behaviour.baskets / 52 / 2, customers),
        basket=behaviour.basket,
        season=behaviour.season,
        first_week=begin,
        last_week=end,
    )
    rows = _bought(truth, weeks, rng)
    time = FIRST_DAY + rows[:, 2] * np.timedelta64(1, "s")
    back = rng.random(len(rows)) < behaviour.returns if behaviour.returns else None
    purchases = Purchases(
        tuple(f"c{number}" for number in range(customers)),
        catalogue.item_ids,
        rows[:, 0],
        rows[:, 1],
        time,
        returned=back,
    )
    on_sale = OnSale(catalogue.item_ids, FIRST_DAY + begin * WEEK, FIRST_DAY + end * WEEK)
    return SimulatedPurchases(purchases, on_sale, truth, behaviour, weeks, seed)


def places(
    catalogue: Catalogue,
    vectors: ArticleVectors | None,
    labels: Sequence[str],
    k: int,
    behaviour: Behaviour,
    rng: np.random.Generator,
) -> np.ndarray:
    """Places of the articles ``[n, k]``, each number with mean 0 and spread 1."""
    n = len(catalogue)
    said = np.zeros((n, k))
    directions: dict[tuple[str, str], np.ndarray] = {}
    for row, article in zip(said, catalogue.articles, strict=True):
        for column in labels:
            for label in article.labels.get(column, ()):
                if (column, label) not in directions:
                    directions[column, label] = rng.normal(size=k)
                row += directions[column, label]
    shown = np.zeros((n, k))
    hidden = 1 - behaviour.tags - behaviour.pictures
    if vectors is not None:
        found = vectors.features(catalogue.item_ids)[:, :-1].astype(float)
        left, size, _ = np.linalg.svd(found - found.mean(0), full_matrices=False)
        axes = (left * size)[:, :k]
        # Turned at random, so that no dimension of taste is the one axis on which photos differ most.
        turn = np.linalg.qr(rng.normal(size=(axes.shape[1], k)))[0] if axes.shape[1] >= k else np.eye(axes.shape[1], k)
        shown = _spread(axes) @ turn
    else:
        hidden += behaviour.pictures
    parts = ((behaviour.tags, said), (behaviour.pictures, shown), (hidden, rng.normal(size=(n, k))))
    return _spread(sum(np.sqrt(share) * _spread(part) for share, part in parts))


def _spread(numbers: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and spread 1; one without any spread stays 0."""
    size = numbers.std(0)
    spread: np.ndarray = (numbers - numbers.mean(0)) / np.where(size > 1e-9, size, np.inf)
    return spread


def _lives(n: int, weeks: int, behaviour: Behaviour, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The week in which each article comes and the one from which on it is gone, int64 ``[n]``."""
    drops = np.arange(behaviour.drop, weeks, behaviour.drop)
    begin = np.zeros(n, dtype=np.int64)
    if len(drops):
        late = rng.permutation(n)[: round(behaviour.launched * n)]
        begin[late] = drops[np.arange(len(late)) % len(drops)]
    low, high = behaviour.stays
    stays = rng.integers(low, high + 1, n)
    # Those that are there at first came some time before.
    stays = np.where(begin == 0, np.maximum(rng.integers(1, stays + 1), low // 2), stays)
    return begin, begin + stays


def tastes(customers: int, weeks: int, behaviour: Behaviour, rng: np.random.Generator) -> np.ndarray:
    """Tastes ``[weeks, C, k]``, such that ``taste · place`` has the spread `Behaviour.choosiness`."""
    size = behaviour.choosiness / np.sqrt(behaviour.tastes)
    taste = np.empty((weeks, customers, behaviour.tastes), dtype=np.float32)
    taste[0] = rng.normal(0, size, taste.shape[1:])
    stays = 1.0 if behaviour.drift is None else float(np.exp(-1 / behaviour.drift))
    for week in range(1, weeks):
        moved = 0.0 if stays == 1 else rng.normal(0, size * np.sqrt(1 - stays**2), taste.shape[1:])
        taste[week] = stays * taste[week - 1] + moved
    return taste


def _bought(truth: CustomerTruth, weeks: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of customer, article and second, int64 ``[N, 3]``, in the order of time."""
    n = len(truth.place)
    free = np.ones((len(truth.rate), n), dtype=bool)
    found = []
    for week in range(weeks):
        count = rng.poisson(truth.rate)
        who = np.flatnonzero(count)
        odds = truth.log_odds(week, who)
        for turn in range(int(count.max(initial=0))):
            among = count[who] > turn
            some = who[among]
            second = rng.integers(8 * 3600, 22 * 3600, len(some)) + 86400 * (7 * week + rng.integers(0, 7, len(some)))
            size = 1 + rng.poisson(truth.basket - 1, len(some))
            # The largest of odds and Gumbel's noise are draws without replacement.
            keys = odds[among] + rng.gumbel(size=(len(some), n)).astype(np.float32)
            keys[~free[some]] = -np.inf
            most = int(min(size.max(initial=1), n))
            best = np.argpartition(-keys, most - 1, axis=1)[:, :most]
            values = np.take_along_axis(keys, best, axis=1)
            best = np.take_along_axis(best, np.argsort(-values, axis=1), axis=1)
            there = np.isfinite(np.take_along_axis(keys, best, axis=1)) & (np.arange(most) < size[:, None])
            rows, places = np.nonzero(there)
            free[some[rows], best[rows, places]] = False
            found.append(np.column_stack([some[rows], best[rows, places], second[rows]]))
    rows = np.concatenate(found) if found else np.zeros((0, 3), dtype=np.int64)
    return rows[np.lexsort((rows[:, 1], rows[:, 0], rows[:, 2]))]
