"""What is expected of an effect before its own data: what the effects of its kind are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...datasets.entries.channels import PRICE, items_of, kinds_of
from .pair_odds import Described, PairOdds

ON_SALE = "on_sale"
"""Channels that say whether an article is on sale, 1 or 0: what its presence takes from others."""

DOUBLED = float(np.log(2))
"""Expected size of what a channel of an article that is no price does to it, over its span: to double its sales."""

SPIKE = 0.1
"""Size of the effects between articles that have nothing to do with each other, as a share of the others' size."""

SUBSTITUTES = 10
"""Other articles whose channels an article answers to, as far as is expected: half of all, or so many of more."""

NONE = 1e-6
"""Size of the effects between articles of different stores, and of the presence of an article on its own sales."""

TAKEN = 0.2
"""Expected size of what the presence of one article does to the log sales of another."""


class EffectPrior:
    r"""A prior of all coefficients ``[D, K]``, learnt from their posterior.

    Coefficients of a kind, such as all articles' own price elasticities, are drawn from one distribution: a normal
    one, whose mean and variance the data show (empirical Bayes: Efron and Morris 1975, doi
    10.1080/01621459.1975.10479864). Those of other articles' channels are drawn from a mixture of two, a narrow one
    around 0 for the many pairs that have nothing to do with each other, and a wide one (spike and slab: George and
    McCulloch 1993, doi 10.1080/01621459.1993.10476353). Substitutes are so of each other: the effects of a on b and of
    b on a come from the same of the two, each with a size of its own. The mixture is replaced by the normal
    distribution of each coefficient that leaves its posterior mean and variance what they are under the mixture
    (expectation propagation: Hernández-Lobato et al. 2015, doi 10.1007/s10994-014-5475-7); means, variances and shares
    come by EM.

    What all others' channels do to an article together does not grow with the assortment: of many others few are
    expected to matter (`SUBSTITUTES`), and the narrow distribution is the narrower, so that a sale of the whole chain
    is no sum of 900 guesses (global shrinkage by the number of relevant coefficients: Piironen and Vehtari 2017, doi
    10.1214/17-EJS1337SI). The mean effect of others' prices is that of substitutes, and in all no more than that of an
    article's own: a fall of all prices costs no sales. Each of many effects is hardly known alone, while all together
    say well how large they are: EM, which counts every effect, would need more steps than there are, so that there
    means and variances come by what the data tell of each (MacKay 1992, doi 10.1162/neco.1992.4.3.415; the fixed point
    is the same).

    Where something describes the articles, the share of substitutes goes by how alike two are (`PairOdds`); a new one,
    whose price has never moved, has the effects that articles have on those that they resemble as much.

    Customers choose among what one store has: where every series is called ``article@store``, a channel has
    no effect on another store's articles.

    Arguments:
        names: of the K channels, ``kind[item]`` or, of a shared one, ``kind``.
        item_ids: of the D series.
        prior: expected size of an effect of a channel that is not the article's own. It counts as one effect of each
            kind beside those that there are, so that kinds with few effects keep it.
        own_prior: that of an article's own price; of its other channels it is at most `DOUBLED`.
        described: what tells the D series apart; ``None`` where nothing does.

    Example:
        >>> prior = EffectPrior(["price[a]", "price[b]"], ["a", "b"], prior=0.5, own_prior=3.0)
        >>> for _ in range(50):
        ...     prior.learn(np.array([[-2.0, 0.0], [0.0, -2.2]]), np.full((2, 2), 0.01))
        >>> prior.mean.round(1)
        array([[-1.8,  0. ],
               [ 0. , -1.8]])
    """

    def __init__(
        self,
        names: Sequence[str],
        item_ids: Sequence[str],
        *,
        prior: float,
        own_prior: float,
        described: Described | None = None,
    ) -> None:
        stems, owners = np.array(kinds_of(names)), np.array([item or "" for item in items_of(names)])
        apart = _in_other_stores(owners, item_ids)
        own = np.array(item_ids)[:, None] == owners
        shared = np.broadcast_to(owners == "", own.shape)
        self.direct = own | shared
        """``[D, K]``, where the channel is the article's own or shared by all."""
        priced = stems == PRICE
        there = stems == ON_SALE
        of_own = np.where(priced, own_prior, np.where(there, NONE, min(own_prior, DOUBLED)))
        size = np.where(own, of_own, np.where(apart, NONE, np.where(there, min(prior, TAKEN), prior)))
        self._kinds: list[tuple[np.ndarray, _Mixture]] = []
        self._own_price: _Mixture | None = None
        self._to_prices: _Mixture | None = None
        many = len(item_ids) > 2 * SUBSTITUTES
        of_prices: PairOdds | None = None
        for stem in dict.fromkeys(stems):
            channels = stems == stem
            for whose, answered in ((own, False), (shared, False), (~self.direct & ~apart, True)):
                index = np.flatnonzero(whose & channels)
                if len(index):
                    mutual = _mutual(index, own & channels) if answered else None
                    others = len(index) / len(item_ids) if answered else 0.0
                    pairs = None if described is None or not answered else (described, own & channels)
                    mixture = _Mixture.of(float(size.flat[index[0]]), mutual, others, many)
                    if pairs is not None:
                        # Prices move far more often than articles come and go: they say who is a substitute.
                        mixture.odds = _odds(
                            index, *pairs, float(mixture.share[1]), of_prices if stem == ON_SALE else None
                        )
                        of_prices = mixture.odds if stem == PRICE else of_prices
                    self._kinds.append((index, mixture))
                    if many and stem == PRICE and whose is own:
                        self._own_price = mixture
                    elif many and stem == PRICE and answered:
                        self._to_prices = mixture
        self.mixed = np.zeros((5, size.size))
        """``[5, D K]`` what was found of the effects of others' channels: the probability that the wide distribution is
        theirs, mean and deviation if it is, and if it is the narrow one; 0 of all other effects."""
        # Flat, as the places of a kind are.
        self._precision = 1 / size.ravel() ** 2
        self._least, self._pull = 1e-4 * self._precision, np.zeros(size.size)

    @property
    def mean(self) -> np.ndarray:
        """``[D, K]``."""
        return (self._pull / self._precision).reshape(self.direct.shape)

    @property
    def variance(self) -> np.ndarray:
        """``[D, K]``."""
        return (1 / self._precision).reshape(self.direct.shape)

    def learn(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Take in what was found under this prior.

        Arguments:
            mean: ``[D, K]`` posterior means.
            variance: ``[D, K]`` posterior variances.
        """
        mean, variance = mean.ravel(), variance.ravel()
        for index, mixture in self._kinds:
            pull, precision, least = self._pull[index], self._precision[index], self._least[index]
            # What the data alone say of each coefficient.
            sure = np.maximum(1 / variance[index] - precision, least)
            said = mean[index] / variance[index] - pull
            found, spread, self.mixed[:, index] = mixture.learn(said / sure, 1 / sure)
            if mixture is self._to_prices:
                # Where all prices fall, an article loses to the others no more than its own price wins it.
                won = -float(self._own_price.mean[0]) if self._own_price else np.inf
                mixture.mean = np.clip(mixture.mean, 0.0, max(won, 0.0) / (mixture.share * mixture.others))
            wanted = np.maximum(1 / spread - sure, least)
            # Half of the way: all coefficients move at once.
            self._precision[index] = (precision + wanted) / 2
            self._pull[index] = (pull + (sure + wanted) * found - said) / 2


def _in_other_stores(owners: np.ndarray, item_ids: Sequence[str]) -> np.ndarray:
    """Bool ``[D, K]``, where a channel belongs to an article of another store than the series.

    Arguments:
        owners: ``[K]`` names of the series that channels belong to, empty for shared ones.
        item_ids: of the D series; those of a table by store are all called ``article@store``.
    """
    if not all("@" in item for item in item_ids):
        return np.zeros((len(item_ids), len(owners)), dtype=bool)
    of_series, of_channels = (np.array([name.rpartition("@")[2] for name in each]) for each in (item_ids, owners))
    return np.asarray((of_series[:, None] != of_channels) & (owners != ""))


def _mutual(index: np.ndarray, own: np.ndarray) -> np.ndarray:
    """For the effect of b on a the number of that of a on b, -1 where there is none.

    Arguments:
        index: ``[n]`` places of the effects in ``[D, K]``.
        own: bool ``[D, K]``, the articles' own channels of the kind.
    """
    number = np.full(own.shape, -1)
    number.flat[index] = np.arange(len(index))
    series, channel = np.unravel_index(index, own.shape)
    owner, answer = np.where(own.any(0), own.argmax(0), -1)[channel], np.where(own.any(1), own.argmax(1), -1)[series]
    return np.where((owner >= 0) & (answer >= 0), number[owner, answer], -1)


def _odds(index: np.ndarray, described: Described, own: np.ndarray, share: float, like: PairOdds | None) -> PairOdds:
    """By what the odds of the article of each effect and of the owner of its channel go, to be substitutes.

    Arguments:
        index: ``[n]`` places of the effects in ``[D, K]``.
        described: what tells the articles apart.
        own: bool ``[D, K]``, the articles' own channels of the kind.
        share: of the pairs, expected to be substitutes.
        like: odds by whose law they go; ``None`` to learn one.
    """
    series, channel = np.unravel_index(index, own.shape)
    owner = np.where(own.any(0), own.argmax(0), -1)[channel]
    return PairOdds(described, series, owner, share, like)


@dataclass
class _Mixture:
    """What the effects of one kind are drawn from.

    Arguments:
        share: ``[J]`` of the components.
        mean: ``[J]``.
        variance: ``[J]``.
        size: ``[J]`` what is expected of their standard deviation.
        free: ``[J]`` whether the mean is learnt; it is 0 where not.
        expected: ``[J]`` what is expected of the shares.
        mutual: ``[n]`` the number of the effect that comes from the same component, -1 for none; ``None`` where there
            is one component.
        others: channels of others that an article may answer to; 0 for its own.
        many: whether most effects are hardly known alone.
        odds: by which the shares of each effect go; ``None`` where they are the same for all.
    """

    share: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    size: np.ndarray
    free: np.ndarray
    expected: np.ndarray
    mutual: np.ndarray | None
    others: float
    many: bool
    odds: PairOdds | None = None

    @classmethod
    def of(cls, size: float, mutual: np.ndarray | None, others: float, many: bool) -> _Mixture:
        if mutual is None:
            sizes, share = np.array([size]), np.ones(1)
        else:
            wide = min(0.5, SUBSTITUTES / others)
            # Narrow effects are together as large as those of as many others as half of which matter.
            sizes, share = np.array([SPIKE * size * np.sqrt(2 * wide), size]), np.array([1 - wide, wide])
        return cls(share, np.zeros(len(sizes)), sizes**2, sizes, sizes == size, share, mutual, others, many)

    def learn(self, said: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step of EM on what the data say of the n effects; before it, their posterior means and variances.

        And those of the two components, ``[5, n]`` as in `EffectPrior.mixed`.
        """
        total = self.variance[:, None] + variance
        logs = -(np.log(total) + (said - self.mean[:, None]) ** 2 / total) / 2
        if self.mutual is not None:
            logs = logs + np.where(self.mutual >= 0, logs[:, self.mutual], 0.0)
        logs += np.log(self.share)[:, None] if self.odds is None else self.odds.log_shares()
        member = np.exp(logs - logs.max(0))
        member /= member.sum(0)
        spread = 1 / (1 / self.variance[:, None] + 1 / variance)
        found = spread * ((self.mean / self.variance)[:, None] + said / variance)
        mean = (member * found).sum(0)
        apart = np.zeros((5, len(said)))
        if self.mutual is not None:
            deviation = np.sqrt(spread)
            apart = np.stack([member[1], found[1], deviation[1], found[0], deviation[0]])
        result = mean, (member * (spread + found**2)).sum(0) - mean**2, apart

        count = member.sum(1)
        if self.many:
            # What all of those that matter do together is as large as one effect, as far as is expected; where nothing
            # says who they are.
            alone = self.size / max(1.0, SUBSTITUTES * (self.others > 0 and self.odds is None))
            known = member / total
            self.mean = self.free * (known * said).sum(1) / (known.sum(1) + 1 / alone**2)
        else:
            self.mean = self.free * (member * found).sum(1) / (count + self.variance / self.size**2)
        squares = (found - self.mean[:, None]) ** 2
        if self.many:
            told = (member * (1 - spread / self.variance[:, None])).sum(1)
            self.variance = ((member * squares).sum(1) + self.size**2) / (told + 1)
        else:
            self.variance = ((member * (squares + spread)).sum(1) + self.size**2) / (count + 1)
        if self.odds is not None:
            self.odds.learn(member[1])
            self.share = np.exp(self.odds.log_shares()).mean(axis=1)
            return result
        counted = count + len(count) * self.expected
        self.share = counted / counted.sum()
        return result
