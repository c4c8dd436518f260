"""In which order examples are learnt from."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor


class RandomOrder:
    """Numbers of examples in a random order, without one twice before all were drawn; int64 ``[count]`` a batch.

    Arguments:
        examples: how many there are.
        steps: how many batches.
        count: examples of a batch.
        seed: of the order.
    """

    def __init__(self, examples: int, steps: int, count: int, seed: int) -> None:
        self.examples, self.steps, self.count, self.seed = examples, steps, count, seed

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.empty(0, dtype=torch.long)
        for _ in range(self.steps):
            while len(order) < self.count:
                order = torch.cat([order, torch.randperm(self.examples, generator=generator)])
            chosen, order = order[: self.count], order[self.count :]
            yield chosen
