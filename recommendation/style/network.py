"""The network of style over time: articles to vectors, baskets to a style, and the sampled softmax."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..contract.article_network import ArticleNetwork
from .sequences import Baskets

FACTS = 4


class StyleNetwork(nn.Module):
    """Log odds ``style · a_i + b_i`` of each article in the next basket of a customer.

    Arguments:
        content: features of articles to vectors ``[n, d]``.
        width: numbers d of an article's vector and of a style.
        hidden: numbers of the memory.
        articles: number of articles n, each with a part of its own that stays 0 until it is sold.
        memory: ``"lstm"``, or ``"mean"`` for the mean of all baskets, which knows no order and no time.
        dropout: of the memory, before the style.
    """

    def __init__(
        self, content: ArticleNetwork, *, width: int, hidden: int, articles: int, memory: str, dropout: float
    ) -> None:
        super().__init__()
        self.content = content
        self.own = nn.Parameter(torch.zeros(articles, width))
        self.bias = nn.Parameter(torch.zeros(articles))
        self.begins = nn.Parameter(torch.zeros(hidden))
        self.lstm = nn.LSTM(width + FACTS, hidden, batch_first=True) if memory == "lstm" else None
        self.mean = nn.Sequential(nn.Linear(width, hidden), nn.Tanh()) if memory == "mean" else None
        self.dropout = nn.Dropout(dropout)
        queries = FACTS if memory == "lstm" else 2
        self.style = nn.Sequential(nn.Linear(hidden + queries, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def memories(self, baskets: Baskets, articles: Tensor) -> Tensor:
        """What is remembered before each basket and after the last, ``[B, M + 1, hidden]``.

        Arguments:
            baskets: those of some customers.
            articles: ``[n, d]``, vectors of all articles.
        """
        customers, most = baskets.week.shape
        total = articles.new_zeros(customers * most, articles.shape[1])
        total = total.index_add(0, baskets.place, articles[baskets.items])
        count = torch.bincount(baskets.place, minlength=customers * most)[:, None].clamp(min=1)
        seen = (total / count).view(customers, most, -1)
        first = self.begins.expand(customers, 1, -1)
        if self.lstm is not None:
            later = self.lstm(torch.cat([seen, baskets.facts], dim=-1))[0]
        else:
            assert self.mean is not None
            so_far = torch.arange(1, most + 1, device=seen.device)[None, :, None]
            later = self.mean(seen.cumsum(1) / so_far)
        return torch.cat([first, later], dim=1)

    def styles(self, memories: Tensor, queries: Tensor) -> Tensor:
        """Styles ``[..., d]`` of memories ``[..., hidden]`` at times that queries ``[..., 4]`` tell of."""
        # The mean knows the season, and not how long ago anything was.
        asked = queries if self.lstm is not None else queries[..., 2:]
        found: Tensor = self.style(torch.cat([self.dropout(memories), asked], dim=-1))
        return found

    def loss(
        self,
        baskets: Baskets,
        articles: Tensor,
        bias: Tensor,
        on_sale: Tensor,
        sampled: Tensor,
        stands_for: Tensor,
    ) -> Tensor:
        """Cross-entropy of each purchase among the articles that were on sale in its week, by a sampled softmax.

        Of the N articles on sale in a week, those of a uniform sample stand for all others: each counts for N by their
        number. A sampled article that is the purchase itself is left out.

        Arguments:
            baskets: of some customers.
            articles: ``[n, d]``, vectors of articles, of all or of those that are needed here.
            bias: ``[n]``.
            on_sale: bool ``[W, n]``, week by week.
            sampled: int64 ``[S]``, the articles that were drawn.
            stands_for: ``[W]``, the logarithm of N by their number in each week; 0 where all are sampled.

        Returns:
            The mean over purchases.
        """
        memories = self.memories(baskets, articles)[:, :-1]
        styles = self.styles(memories, baskets.queries).flatten(0, 1)
        week = baskets.week.flatten()
        there = on_sale[:, sampled]
        others = styles @ articles[sampled].T + bias[sampled] + stands_for[week][:, None]
        others = others.masked_fill(~there[week], -math.inf)[baskets.place]
        others = others.masked_fill(sampled[None] == baskets.items[:, None], -math.inf)
        right = (styles[baskets.place] * articles[baskets.items]).sum(1) + bias[baskets.items]
        return (torch.logsumexp(torch.cat([right[:, None], others], dim=1), dim=1) - right).mean()
