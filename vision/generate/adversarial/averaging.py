"""The running mean of a network's weights, which is what is kept of a training of images."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, done: int) -> None:
    """Move the running mean of a network's weights a step on, in place; in its first steps it forgets faster.

    Arguments:
        average: a copy of the network.
        network: as it is now.
        decay: a step.
        done: how many steps there were.
    """
    decay = min(decay, done / (done + 9))
    mean, now = average.state_dict(), network.state_dict()
    for name, value in now.items():
        # Statistics of batches are noisy as weights are; directions of spectral norms and counts are not.
        smooth = value.is_floating_point() and not name.endswith(("._u", "._v"))
        mean[name].lerp_(value, 1 - decay) if smooth else mean[name].copy_(value)
