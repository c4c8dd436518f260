"""Training GRU-RealNVP beside the network as it was published, written plainly: the same sizes, in turns.

The published code, pytorch-ts, does not run on current libraries. On a machine with two cores it once took 2.6 steps a
second, 0.385 s each, of which 0.12 s were forward, backward and optimiser; all else was the transformation of the
series, again for every window. So its step on another machine is taken to be 0.385 / 0.12 times as long as forward,
backward and optimiser are there.

Run: python -m benchmarks.published [--threads 1]
"""

from __future__ import annotations

import json
import statistics
import time
from itertools import pairwise

import torch
from hemline.forecasting import GRURealNVPEstimator, TrainConfig
from hemline.forecasting.windows.spec import infer_spec
from torch import Tensor, nn

from .measuring import arguments, in_own_process, write
from .shapes import SHAPES

WHOLE, COMPUTE = 1 / 2.6, 0.12
"""Seconds of a step of pytorch-ts on its machine: all of it, and forward, backward and optimiser alone."""


class Coupling(nn.Module):
    """An affine coupling layer with a mask, its two networks one after the other, tanh in the scale's."""

    def __init__(self, series: int, context: int, hidden: int, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

        def network(activation: type[nn.Module]) -> nn.Sequential:
            sizes = [series + context, hidden, hidden]
            layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), activation())]
            return nn.Sequential(*layers, nn.Linear(hidden, series))

        self.scale, self.shift = network(nn.Tanh), network(nn.ReLU)

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Noise and the logarithm of the determinant."""
        kept = x * self.mask
        given = torch.cat([context, kept], dim=-1)
        scale = self.scale(given) * (1 - self.mask)
        shift = self.shift(given) * (1 - self.mask)
        return kept + (1 - self.mask) * (x - shift) * torch.exp(-scale), -scale.sum(-1)


class Published(nn.Module):
    """GRU 2 × 40, a context of 200, four coupling layers of hidden size 100 with batch normalisation between them."""

    def __init__(self, inputs: int, series: int) -> None:
        super().__init__()
        self.encoder = nn.GRU(inputs, 40, num_layers=2, dropout=0.1, batch_first=True)
        self.context = nn.Linear(40, 200)
        mask = torch.arange(series).remainder(2).float()
        masks = [mask, 1 - mask, mask, 1 - mask]
        self.couplings = nn.ModuleList(Coupling(series, 200, 100, mask) for mask in masks)
        self.norms = nn.ModuleList(nn.BatchNorm1d(series) for _ in masks)

    def loss(self, inputs: Tensor, target: Tensor) -> Tensor:
        """Mean negative log-likelihood of all steps of context and horizon."""
        hidden, _ = self.encoder(inputs)
        context, z = self.context(hidden), target
        total = torch.zeros(target.shape[:-1])
        for coupling, norm in zip(self.couplings, self.norms, strict=True):
            z, log_det = coupling(z, context)
            flat = z.flatten(0, 1)
            spread = flat.var(0) + norm.eps
            z = norm(flat).view_as(z)
            total = total + log_det + (norm.weight.abs().log() - spread.log() / 2).sum()
        return (z.square().sum(-1) / 2 - total).mean()


def measure(threads: int, repeats: int) -> dict[str, float | str]:
    """A step of both, in turns, in milliseconds."""
    torch.set_num_threads(threads)
    shape = SHAPES["exchange"]
    data, steps = shape.entries(), 20
    spec = infer_spec(data, freq=shape.freq, prediction_length=shape.horizon)
    plain = Published(spec.input_size, shape.series)
    optimizer = torch.optim.Adam(plain.parameters())
    inputs = torch.randn(shape.batch, 2 * shape.horizon, spec.input_size)
    target = torch.randn(shape.batch, 2 * shape.horizon, shape.series)
    published, ours = [], []
    for number in range(repeats + 1):
        began = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            plain.loss(inputs, target).backward()
            optimizer.step()
        published.append((time.perf_counter() - began) / steps)
        train = TrainConfig(max_epochs=2, batches_per_epoch=steps, batch_size=shape.batch, seed=number)
        log = GRURealNVPEstimator(shape.freq, shape.horizon, train=train).train(data).training_log
        ours.append(log[-1]["seconds"] / steps)
    ratios = [WHOLE / COMPUTE * a / b for a, b in zip(published[1:], ours[1:], strict=True)]
    return {
        "case": "exchange-nvp",
        "published compute ms/step": 1e3 * statistics.median(published[1:]),
        "whole step of ours ms": 1e3 * statistics.median(ours[1:]),
        "times faster than pytorch-ts": statistics.median(ratios),
        "from": min(ratios),
        "to": max(ratios),
    }


if __name__ == "__main__":
    options = arguments(__doc__ or "", ["exchange-nvp"])
    if options.case:
        print(json.dumps(measure(options.threads, options.repeats)))
    else:
        write("published", [in_own_process("benchmarks.published", "exchange-nvp", options)], options)
