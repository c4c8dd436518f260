"""Grid partitioned attention beside full attention: processor seconds, memory, and the attention that it captures.

32 channels, one head, one image, float32, four patches. Full attention is torch's fused calculation, and the one that
keeps all scores. Memory is what a calculation adds to that of its inputs at its peak.

Run: python -m benchmarks.attention [--cases partitioned-256,fused-256,partitioned-256-backward,captured]
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any

import torch
from hemline.vision.generate.attention import Partition, grid_partitioned_attention
from hemline.vision.generate.attention_views import captured_mass
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from .measuring import arguments, exponent, in_own_process, write

CHANNELS = 32
CASES = [
    *(f"partitioned-{side}{back}" for side in (64, 128, 256, 512) for back in ("", "-backward")),
    *(f"fused-{side}{back}" for side in (64, 128) for back in ("", "-backward")),
    "fused-256",
    "fused-512",
    "scores-64",
    "scores-128",
    "captured",
]


def partitioned(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What this library does."""
    return grid_partitioned_attention(query, key, value, Partition(score="dot"))


def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Full attention that keeps no scores."""
    tokens = (each.flatten(3).transpose(2, 3).contiguous() for each in (query, key, value))
    return scaled_dot_product_attention(*tokens)


def scores(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Full attention that keeps all scores."""
    query, key, value = (each.flatten(3) for each in (query, key, value))
    return (query.transpose(2, 3) @ key / CHANNELS**0.5).softmax(dim=3) @ value.transpose(2, 3)


KINDS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "partitioned": partitioned,
    "fused": fused,
    "scores": scores,
}


def most_added(work: Callable[[], None]) -> float:
    """MiB of tensors at the peak of a piece of work, beyond those that are there before, by torch's profiler."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        work()
    # `profile.events()` has what an operator keeps, and not what it needs in between.
    events = profile.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    return max(itertools.accumulate(size for _, size in changes)) / 2**20


def measure(case: str, repeats: int) -> dict[str, Any]:
    """Seconds of the processor, median, and MiB that are added."""
    name, side, *back = case.split("-")
    kind, backward = KINDS[name], bool(back)

    def inputs(size: int) -> list[Tensor]:
        torch.manual_seed(0)
        return [torch.randn(1, 1, CHANNELS, size, size, requires_grad=backward) for _ in range(3)]

    def run(given: list[Tensor]) -> None:
        found = kind(*given)
        if backward:
            found.sum().backward()

    given, seconds = inputs(int(side)), []
    added = most_added(lambda: run(given))
    for _ in range(1 if name == "fused" and int(side) > 128 else repeats):
        began = time.process_time()
        run(given)
        seconds.append(time.process_time() - began)
    return {"case": case, "side": int(side), "processor s": sorted(seconds)[len(seconds) // 2], "MiB added": added}


def captured() -> dict[str, Any]:
    """The share of full attention that is seen, by patches, where attention is flat and where it is peaked."""
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, 128) for _ in range(2)), indexing="ij")
    places = torch.stack([rows, columns])[None, None]
    flat = [torch.randn(1, 1, CHANNELS, 128, 128) for _ in range(2)]
    row: dict[str, Any] = {"case": "captured"}
    for name, (query, key) in (("flat", flat), ("peaked", (places.flip(-1) * 12, places * 12))):
        for patches in (1, 2, 4, 16, 64):
            partition = Partition(patches=patches, base=16, cells=16)
            row[f"{name}, {patches}"] = float(captured_mass(query, key, partition))
    return row


def main() -> None:
    """Measure each case in a process of its own."""
    options: argparse.Namespace = arguments("Grid partitioned attention.", CASES)
    if options.case:
        torch.set_num_threads(options.threads)
        found = captured() if options.case == "captured" else measure(options.case, options.repeats)
        print(json.dumps(found))
        return
    rows = [in_own_process("benchmarks.attention", case, options) for case in options.cases.split(",")]
    write("attention", rows, options)
    for name in KINDS:
        for back in ("", "-backward"):
            # Partitioned attention to maps of 64 pixels is full attention.
            least = 64 if name == "partitioned" else 0
            some = [row for row in rows if re.fullmatch(rf"{name}-\d+{back}", row["case"]) and row["side"] > least]
            if len(some) > 1:
                places = [row["side"] ** 2 for row in some]
                seconds = exponent(places, [row["processor s"] for row in some])
                memory = exponent(places, [row["MiB added"] for row in some])
                print(f"{name}{back}: seconds grow with places^{seconds:.2f}, memory with places^{memory:.2f}")


if __name__ == "__main__":
    main()
