"""Fashion DNA as a network: vectors of articles, weights of customers, and the cross-entropy of a block."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..contract.article_network import ArticleNetwork
from .blocks import Block, held_out


class DNANetwork(nn.Module):
    """Log odds of purchases, ``f · w + b + log(weeks on sale)``.

    The vector f of an article is what its features say and, for one that has been sold, a part of its own; the weights
    w of a customer are those of all customers and what sets this one apart.

    Arguments:
        content: features to vectors ``[n, d]``.
        width: numbers d of a vector.
        own: articles with a part of their own; 0 for none.
        customers: number of customers C.
        rate: share of the cells with a purchase, by week on sale.
    """

    def __init__(self, content: ArticleNetwork, *, width: int, own: int, customers: int, rate: float) -> None:
        super().__init__()
        self.content = content
        self.own = nn.Parameter(torch.zeros(own, width))
        self.common = nn.Parameter(torch.zeros(width + 1))
        self.apart = nn.Parameter(torch.zeros(customers, width + 1))
        with torch.no_grad():
            self.common[-1] = math.log(rate)

    def reset_apart(self, spread: float) -> None:
        """Draw what sets the weights of customers apart, from its prior."""
        with torch.no_grad():
            self.apart[:, :-1].normal_(0, spread)

    def article_vectors(self, tags: Tensor, vectors: Tensor, rows: Tensor | None = None) -> Tensor:
        """Vectors of articles ``[n, d]``, with their own parts where `rows` says which they are."""
        found: Tensor = self.content(tags, vectors)
        return found if rows is None or not len(self.own) else found + self.own[rows]

    def customer_weights(self, rows: Tensor | None = None) -> Tensor:
        """Weights and, last, intercepts of customers ``[C, d + 1]``."""
        return self.common + (self.apart if rows is None else self.apart[rows])

    def loss(self, block: Block, found: Tensor, log_weeks: Tensor, *, held: bool = False) -> Tensor:
        """Cross-entropy of the cells of a block, by article.

        Of cells without a purchase only a share π was looked at. Among the cells that were looked at the log odds of a
        purchase are larger by ``−log π``; with that offset the cross-entropy of the sample has its minimum where that
        of all cells has it.

        Arguments:
            block: the block.
            found: ``[A, d]``, the vectors of its articles.
            log_weeks: ``[A]``, the logarithm of the weeks for which each was on sale.
            held: of the cells that are left out of training, instead of all others.

        Returns:
            The sum over cells, divided by the number of articles.
        """
        weights = self.customer_weights(block.customers)
        shift = log_weeks - math.log(block.share)
        odds = found @ weights[:, :-1].T + weights[:, -1] + shift[:, None]
        counts = held_out(block.articles[:, None], block.customers[None]) == held
        place = torch.full((len(self.apart),), -1)
        place[block.customers] = torch.arange(len(block.customers))
        column = place[block.pair_customer]
        # A cell with a purchase is no negative; as a positive it is told by its pair.
        counts[block.pair_article[column >= 0], column[column >= 0]] = False
        negative = (functional.softplus(odds) * counts).sum()
        used = held_out(block.articles[block.pair_article], block.pair_customer) == held
        row, who = block.pair_article[used], block.pair_customer[used]
        own = self.customer_weights(who)
        pair = (found[row] * own[:, :-1]).sum(1) + own[:, -1] + shift[row]
        return (negative + functional.softplus(-pair).sum()) / len(block.articles)
