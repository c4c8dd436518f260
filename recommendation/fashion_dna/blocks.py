"""The purchase matrix, block by block: some articles, and all customers or a sample of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

_HELD, _OF = 1, 20


@dataclass(frozen=True)
class Block:
    """A part of the purchase matrix.

    Arguments:
        articles: int64 ``[A]``, the rows.
        customers: int64 ``[S]``, the columns whose cells are looked at, purchases or not.
        pair_article: int64 ``[P]``, of each purchase of these articles, by any customer, the place in `articles`.
        pair_customer: int64 ``[P]``, its customer.
        share: S by the number of all customers: the share of the cells without a purchase that is looked at.
    """

    articles: Tensor
    customers: Tensor
    pair_article: Tensor
    pair_customer: Tensor
    share: float


class Blocks:
    """The blocks of an epoch: every article once, in an order that is drawn; the same for the same seed.

    Memory is that of one block, ``4 · A · S`` bytes a few times over, whatever the numbers of articles and customers.

    Arguments:
        bought: sparse ``[n, C]``, 1 where an article was bought by a customer.
        articles: int64, the articles to go through.
        size: articles of a block.
        negatives: customers whose cells are looked at for each block, drawn anew; ``None`` for all.
        seed: gives the seed of the epoch.
    """

    def __init__(
        self,
        bought: sparse.csr_matrix,
        articles: np.ndarray,
        *,
        size: int,
        negatives: int | None,
        seed: Callable[[], int],
    ) -> None:
        self.bought, self.articles, self.size, self.seed = bought, articles, size, seed
        customers = bought.shape[1]
        self.negatives = None if negatives is None or negatives >= customers else negatives

    def __len__(self) -> int:
        """Blocks of an epoch."""
        return -(-len(self.articles) // self.size)

    def __iter__(self) -> Iterator[Block]:
        """The blocks."""
        rng = np.random.default_rng(self.seed())
        order, customers = rng.permutation(self.articles), self.bought.shape[1]
        for begin in range(0, len(order), self.size):
            rows = order[begin : begin + self.size]
            seen = np.arange(customers)
            if self.negatives is not None:
                seen = rng.choice(customers, self.negatives, replace=False)
            yield self.block(rows, seen)

    def block(self, rows: np.ndarray, customers: np.ndarray) -> Block:
        """One block: all purchases of some articles, and the cells of some customers."""
        first, last = self.bought.indptr[rows], self.bought.indptr[rows + 1]
        number = (last - first).astype(np.int64)
        place = np.repeat(np.arange(len(rows)), number)
        within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        who = self.bought.indices[np.repeat(first.astype(np.int64), number) + within]
        return Block(
            torch.from_numpy(rows.astype(np.int64)),
            torch.from_numpy(customers.astype(np.int64)),
            torch.from_numpy(place),
            torch.from_numpy(who.astype(np.int64)),
            len(customers) / self.bought.shape[1],
        )


def held_out(articles: Tensor, customers: Tensor) -> Tensor:
    """Whether a cell is left out of training, to be judged by: one in twenty, by a hash of its place.

    Arguments:
        articles: int64 indices.
        customers: int64 indices that go with them, by broadcasting.
    """
    mixed = articles * 2_654_435_761 + customers * 2_246_822_519
    mixed = (mixed ^ (mixed >> 15)) * 2_654_435_761
    return ((mixed ^ (mixed >> 13)) % _OF) < _HELD
