"""Networks that learn side by side from the same windows, each without its own block of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..windows.tensor import Window
from .direct import DirectNetwork
from .direct_told import stacked, told
from .network import Learner


class Folds(Learner):
    """Direct networks of one shape as one, for their training: what windows say is read once for all of them.

    A network that is not forecast better for some epochs takes no part in further steps; it has the weights of its best
    epoch in the end. Weights, and how far each network has come, are in its state, so that a training that was killed
    goes on.

    Arguments:
        members: the networks; they stay as they are until `hand_back`.
        taught: bool ``[G, T]``, from the windows of which rows each network may learn.
    """

    best_loss: Tensor
    waited: Tensor
    taught: Tensor

    def __init__(self, members: Sequence[DirectNetwork], taught: Tensor) -> None:
        first = members[0]
        super().__init__(first.spec, first.scaling, first.statistics)
        # Hidden from torch: their weights are learnt here.
        self._members = tuple(members)
        self.weights = nn.ParameterDict(
            {_place(name): nn.Parameter(value.detach().clone()) for name, value in stacked(members).items()}
        )
        for name, value in self.weights.items():
            self.register_buffer(f"best_{name}", value.detach().clone())
        self.register_buffer("best_loss", torch.full((len(members),), torch.inf))
        self.register_buffer("waited", torch.zeros(len(members), dtype=torch.long))
        self.register_buffer("taught", taught, persistent=False)

    def active(self, patience: int | None) -> list[int]:
        """The numbers of the networks that still learn.

        Arguments:
            patience: epochs without a better loss after which one stops; ``None`` never stops.
        """
        return [number for number, waited in enumerate(self.waited.tolist()) if patience is None or waited < patience]

    def loss(self, window: Window, *, context: bool = True) -> Tensor:
        """Mean loss of the networks on a window that all of them may learn from."""
        numbers = list(range(len(self._members)))
        every = self.taught.new_ones(len(numbers), len(window.values))
        return self.losses(window, numbers, every).mean()

    def losses(self, window: Window, numbers: Sequence[int], taught: Tensor) -> Tensor:
        """The mean loss ``[g]`` of some networks, each over those of the windows that it may learn from.

        Arguments:
            window: B windows, with the values of the horizon.
            numbers: of the g networks.
            taught: bool ``[g, B]``; the loss of a network without any is 0.
        """
        first = self._reader()
        series = first.drawn_series(window.values.device)
        every = len(numbers) == len(self._members)
        named = {name: self.weights[_place(name)] for name in dict(first.named_parameters())}
        some = named if every else {name: value[list(numbers)] for name, value in named.items()}
        losses, weights = first.losses(window, series, *told(some, first.read(window, series), first.dropout))
        counted = weights * taught[:, :, None, None]
        return (losses * counted).sum((1, 2, 3)) / counted.sum((1, 2, 3)).clamp_min(1e-8)

    @torch.no_grad()
    def note(self, losses: Sequence[float]) -> None:
        """Keep the weights of those networks that have the smallest loss so far on what they watch.

        Arguments:
            losses: one each, NaN for a network that has stopped.
        """
        for number, loss in enumerate(losses):
            if loss < float(self.best_loss[number]):
                self.best_loss[number], self.waited[number] = loss, 0
                for name, value in self.weights.items():
                    getattr(self, f"best_{name}")[number] = value[number]
            elif loss == loss:
                self.waited[number] += 1

    @torch.no_grad()
    def hand_back(self) -> None:
        """Give the networks the weights of their best epochs."""
        for number, member in enumerate(self._members):
            for name, parameter in member.named_parameters():
                parameter.copy_(getattr(self, f"best_{_place(name)}")[number])

    def clip(self, most: float) -> None:
        """Clip the gradient of each network on its own to a largest norm."""
        gradients = [value.grad for value in self.weights.values() if value.grad is not None]
        norm = sum(each.flatten(1).square().sum(1) for each in gradients)
        if isinstance(norm, Tensor):
            share = (most / (norm.sqrt() + 1e-6)).clamp_max(1.0)
            for each in gradients:
                each *= share.view(-1, *[1] * (each.dim() - 1))

    def _reader(self) -> DirectNetwork:
        """The first network, which reads for all: on their device and in their mode."""
        first = self._members[0]
        return first.to(self.usual_scale.device).train(self.training)


def _place(name: str) -> str:
    """The name of a weight, for a dictionary of them, in which names have no dots."""
    return name.replace(".", "-")
