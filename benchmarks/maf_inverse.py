"""The inverse of one masked affine map, 100 rows, against one full pass of the network for each series.

The D-pass inverse is written here, with masked weights and the context's term computed once, outside its loop;
it is run in full, nothing is extrapolated. On a GPU the inverse is also timed as a CUDA graph of the loop over its
levels and as the fused kernel; and 1,000 paths × 24 steps × 963 series are forecast on the processor, on the GPU level
by level, and on the GPU with the kernel, with the share of the time in which the GPU waits.

Run: python -m benchmarks.maf_inverse [--cases 963:100,963:1024] [--device cuda] [--threads 1] [--out FOLDER]
"""

from __future__ import annotations

import json
import os
import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from hemline.forecasting.networks.transforms import Flow, FlowSampler, GaussianBase, MaskedAffine
from hemline.forecasting.networks.transforms.affine import log_scale
from hemline.forecasting.networks.transforms.fused.trial import SWITCH, fused_inverse, may_be_fused
from torch import Tensor

from .measuring import arguments, exponent, in_own_process, peak_gib, synchronize, write
from .plotting import lines

ROWS = 100
SERIES = (8, 137, 370, 963, 2000)
HIDDEN = (100, 1024)
LARGE = 200_000  # D times hidden above which the slow inverse is timed once
FORECAST = "traffic:1000:24"  # 963 series, 1,000 paths, 24 steps; see `benchmarks.predict`


@contextmanager
def level_by_level(asked: bool = True) -> Iterator[None]:
    """Without the fused kernel inside, in the processes begun inside too."""
    before = os.environ.get(SWITCH)
    if asked:
        os.environ[SWITCH] = "0"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(SWITCH, None)
        else:
            os.environ[SWITCH] = before


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

    def inverse(cuda_graph: bool, fused: bool = False) -> Callable[[], Tensor]:
        sampler = FlowSampler(flow, cuda_graph=cuda_graph)

        def run() -> Tensor:
            with level_by_level(not fused):
                return sampler.inverse(z, terms)

        return run

    with level_by_level():
        (alone,) = median_seconds([lambda: flow.from_base(z, terms)], device, 4 * repeats)
    one_pass, cached = median_seconds([forward, inverse(cuda_graph=False)], device, 4 * repeats)
    best, kernel = cached, inverse(cuda_graph=False)
    graph: dict[str, float | str] = {}
    if device.startswith("cuda"):
        one_pass, best = median_seconds([forward, inverse(cuda_graph=True)], device, 4 * repeats)
        graph = {"CUDA graph ms": 1e3 * best, "fused ms": "not used"}
        if may_be_fused(bijection.made, z) and fused_inverse(bijection.made, z, terms[0]) is not None:
            kernel = inverse(cuda_graph=True, fused=True)
            (best,) = median_seconds([kernel], device, 4 * repeats)
            graph["fused ms"] = 1e3 * best
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
        "largest difference": (kernel() - expected).abs().max().item(),
        "peak GiB": peak,
    }


def forecasts(options: Namespace, case: str = FORECAST) -> list[dict[str, Any]]:
    """A whole forecast on the processor, on the device level by level, and on the device with the kernel."""
    rows = []
    for name, device, looped in (
        ("processor", "cpu", True),
        ("level by level", options.device, True),
        ("fused", options.device, False),
    ):
        with level_by_level(looped):
            row = in_own_process("benchmarks.predict", case, Namespace(**{**vars(options), "device": device}))
        usual = rows[0].get("median s") if rows else row.get("median s")
        faster = {"times faster": usual / row["median s"]} if usual and "median s" in row else {}
        rows.append({"on": name, **row, **faster})
    return rows


def measured(rows: list[dict[str, Any]]) -> list[str]:
    """The kinds of times that all rows have."""
    kinds = ["D passes ms", "in a decode ms", "CUDA graph ms", "fused ms", "one pass ms"]
    return [kind for kind in kinds if all(isinstance(row.get(kind), float) for row in rows)]


def report(rows: list[dict[str, Any]]) -> None:
    """Say how cost grows with D from 137 on, for each width."""
    for hidden in HIDDEN:
        chosen = [row for row in rows if row.get("hidden") == hidden and row["D"] >= 137]
        if len(chosen) > 1:
            sizes = [row["D"] for row in chosen]
            growth = {kind: exponent(sizes, [row[kind] for row in chosen]) for kind in measured(chosen)}
            print(f"hidden {hidden}: " + ", ".join(f"{kind[:-3]} ~ D^{p:.2f}" for kind, p in growth.items()))


def plot(rows: list[dict[str, Any]], options: Any) -> None:
    """Milliseconds over D, one picture for each width."""
    for hidden in HIDDEN:
        chosen = [row for row in rows if row.get("hidden") == hidden]
        if chosen:
            lines(
                options.out / f"maf_inverse_{hidden}.png",
                [row["D"] for row in chosen],
                {kind.removesuffix(" ms"): [row[kind] for row in chosen] for kind in measured(chosen)},
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
        if options.device.startswith("cuda"):
            write("maf_forecast", forecasts(options), options)
