"""What every benchmark shares: a process of its own for each case, fitted exponents, results on disk."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hemline.runtime.threads import SWITCH, thread_environment


def arguments(description: str, cases: Sequence[str]) -> argparse.Namespace:
    """Options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cases", default=",".join(cases), help=f"some of {','.join(cases)}")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    return parser.parse_args()


def in_own_process(module: str, case: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one case in a new process, so that its peak memory is its own."""
    command = [sys.executable, "-m", module, "--case", case, "--device", options.device]
    command += ["--threads", str(options.threads), "--repeats", str(options.repeats)]
    threads = {SWITCH: str(options.threads), **thread_environment(options.threads)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **threads})
    if done.returncode:
        return {"case": case, "error": done.stderr.strip().splitlines()[-1]}
    row: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return row


def peak_gib(device: str) -> float:
    """Largest memory of this process: of the GPU where it runs on one, resident otherwise."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def peak_of_tensors(work: Callable[[], object]) -> float:
    """The largest memory of the tensors that a piece of work makes on the processor, MiB, by torch's profiler."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        work()
    events = profile.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    return max(itertools.accumulate(size for _, size in changes)) / 2**20


def synchronize(device: str) -> None:
    """Wait for the device, so that a clock read afterwards is honest."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def idle_share(work: Callable[[], object]) -> float:
    """The share of a piece of work in which the GPU has nothing to do: it waits for the next launch.

    From the first kernel to the last, by torch's profiler, whose own cost makes the gaps somewhat longer.
    """
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work()
        torch.cuda.synchronize()
    kernels = [event for event in profile.events() if event.device_type == torch.autograd.DeviceType.CUDA]
    return 1 - covered([(event.time_range.start, event.time_range.end) for event in kernels])


def covered(intervals: Sequence[tuple[float, float]]) -> float:
    """The share of the time from the first start to the last end that lies in some interval.

    >>> covered([(0, 2), (1, 3), (6, 8)])
    0.625
    """
    if not intervals:
        raise ValueError("intervals: expected at least one, got none: no kernel was recorded")
    inside, reached = 0.0, min(start for start, _ in intervals)
    first = reached
    for start, end in sorted(intervals):
        inside += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return inside / (reached - first)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The p of a least-squares fit of cost ~ size^p."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def write(name: str, rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print rows as a table and keep them as JSON with the machine and versions."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        cells = [row.get(column, "") for column in columns]
        print("| " + " | ".join(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |")
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.cuda.get_device_name() if options.device.startswith("cuda") else platform.processor()
    machine = {
        "device": device,
        "threads": options.threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    (options.out / f"{name}.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=2))
