"""The inverse of one masked affine map, 100 rows, against one full pass of the network for each series.

The D-pass inverse is written here, with masked weights and the context's term computed once, outside its loop;
it is run in full, nothing is extrapolated. On a GPU the inverse is also timed as a CUDA graph.

Run: python -m benchmarks.maf_inverse [--cases 963:100,963:1024] [--device cuda] [--threads 1] [--out FOLDER]
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from hemline.forecasting.networks.transforms import Flow, FlowSampler, GaussianBase, MaskedAffine
from hemline.forecasting.networks.transforms.affine import log_scale
from torch import Tensor

from .measuring import arguments, exponent, in_own_process, peak_gib, synchronize, write
from .plotting import lines

ROWS = 100
SERIES = (8, 137, 370, 963, 2000)
HIDDEN = (100, 1024)
LARGE = 200_000  # D times hidden above which the slow inverse is timed once


def d_pass(bijection: MaskedAffine, z: Tensor, conditioning: Tensor) -> Callable[[], Tensor]:
    """The inverse that solves one series with each pass of the whole network."""
    made = bijection.made
    first = (made.input_weight * made.input_mask).t().contiguous()
    middle = [(weight * made.hidden_mask).t().contiguous() for weight in made.hidden_weights]
    last = (made.output_weight * made.output_mask).flatten(0, 1).t().contiguous()
    bias = made.output_bias.flatten()

    def run() -> Tensor:
        x = torch.zeros_like(z)
        for series in range(made.features):
            units = torch.addmm(conditioning, x, first).relu_()
            for weight, hidden_bias in zip(middle, made.hidden_biases, strict=True):
                units = torch.addmm(hidden_bias, units, weight).relu_()
            shift, raw = torch.addmm(bias, units, last).chunk(2, dim=1)
            x[:, series] = z[:, series] * torch.exp(log_scale(raw[:, series])) + shift[:, series]
        return x

    return run


def median_seconds(functions: Sequence[Callable[[], object]], device: str, repeats: int) -> list[float]:
    """The median time of each function; they take turns, so that their ratios see the same machine."""
    seconds: list[list[float]] = [[] for _ in functions]
    for turn in range(repeats + 1):
        for function, measured in zip(functions, seconds, strict=True):
            synchronize(device)
            began = time.perf_counter()
            function()
            synchronize(device)
            if turn:
                measured.append(time.perf_counter() - began)
    return [statistics.median(measured) for measured in seconds]


@torch.no_grad()
def measure(case: str, device: str, repeats: int) -> dict[str, Any]:
    """One case, `D:hidden`: milliseconds of a pass and of each inverse."""
    series, hidden = (int(part) for part in case.split(":"))
    torch.manual_seed(0)
    bijection = MaskedAffine(series, hidden=hidden)
    flow = Flow([bijection], GaussianBase(series), context_features=40).to(device).eval()
    z, context = torch.randn(ROWS, series, device=device), torch.randn(ROWS, 40, device=device)
    terms = flow(context).terms

    def forward() -> Tensor:
        return bijection(z, terms[0])[0]

    def inverse(cuda_graph: bool) -> Callable[[], Tensor]:
        sampler = FlowSampler(flow, cuda_graph=cuda_graph)
        return lambda: sampler.inverse(z, terms)

    (alone,) = median_seconds([lambda: flow.from_base(z, terms)], device, 4 * repeats)
    one_pass, cached = median_seconds([forward, inverse(cuda_graph=False)], device, 4 * repeats)
    best, graph = cached, {}
    if device.startswith("cuda"):
        one_pass, best = median_seconds([forward, inverse(cuda_graph=True)], device, 4 * repeats)
        graph = {"CUDA graph ms": 1e3 * best}
    peak = peak_gib(device)
    slow = d_pass(bijection, z, terms[0])
    synchronize(device)
    began = time.perf_counter()
    expected = slow()
    synchronize(device)
    passes = time.perf_counter() - began
    if series * hidden <= LARGE:
        (passes,) = median_seconds([slow], device, repeats)
    return {
        "case": case,
        "D": series,
        "hidden": hidden,
        "levels": bijection.made.levels,
        "one pass ms": 1e3 * one_pass,
        "D passes ms": 1e3 * passes,
        "alone ms": 1e3 * alone,
        "in a decode ms": 1e3 * cached,
        **graph,
        "times faster": passes / best,
        "passes worth": best / one_pass,
        "largest difference": (inverse() - expected).abs().max().item(),
        "peak GiB": peak,
    }


def report(rows: list[dict[str, Any]]) -> None:
    """Say how cost grows with D from 137 on, for each width."""
    kinds = ["one pass ms", "D passes ms", "in a decode ms", "CUDA graph ms"]
    for hidden in HIDDEN:
        chosen = [row for row in rows if row.get("hidden") == hidden and row["D"] >= 137]
        if len(chosen) > 1:
            sizes = [row["D"] for row in chosen]
            growth = {k: exponent(sizes, [row[k] for row in chosen]) for k in kinds if k in chosen[0]}
            print(f"hidden {hidden}: " + ", ".join(f"{kind[:-3]} ~ D^{p:.2f}" for kind, p in growth.items()))


def plot(rows: list[dict[str, Any]], options: Any) -> None:
    """Milliseconds over D, one picture for each width."""
    kinds = ["D passes ms", "in a decode ms", "CUDA graph ms", "one pass ms"]
    for hidden in HIDDEN:
        chosen = [row for row in rows if row.get("hidden") == hidden]
        if chosen:
            lines(
                options.out / f"maf_inverse_{hidden}.png",
                [row["D"] for row in chosen],
                {k.removesuffix(" ms"): [row[k] for row in chosen] for k in kinds if k in chosen[0]},
                "series D",
                "milliseconds",
                f"MAF inverse, {ROWS} rows, {hidden} units",
            )


if __name__ == "__main__":
    options = arguments(__doc__ or "", [f"{series}:{hidden}" for hidden in HIDDEN for series in SERIES])
    torch.set_num_threads(options.threads)
    if options.case:
        print(json.dumps(measure(options.case, options.device, options.repeats)))
    else:
        rows = [in_own_process("benchmarks.maf_inverse", case, options) for case in options.cases.split(",")]
        write("maf_inverse", rows, options)
        report(rows)
        plot(rows, options)
