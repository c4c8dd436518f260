"""The inverse of a masked affine map as one kernel: right in the interpreter, compiled, refused where it is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hemline.forecasting.networks.transforms.fused.trial as trial_module
import hemline.forecasting.networks.transforms.masked_affine as masked_affine_module
import pytest
import torch
from hemline.forecasting.networks.transforms.fused.kernel import compiled_kernel
from hemline.forecasting.networks.transforms.fused.launch import fits, padded
from hemline.forecasting.networks.transforms.fused.trial import TriedInverse, may_be_fused
from hemline.forecasting.networks.transforms.level_solver import Workspace, solve_levels
from hemline.forecasting.networks.transforms.made import MADE
from hemline.forecasting.networks.transforms.masked_affine import MaskedAffine
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

INTERPRETED = Path(__file__).parent / "interpreted_inverse.py"
NEEDS = "needs Triton, which builds of torch for CUDA bring (pip install triton)"


@pytest.fixture(scope="module")
def interpreted() -> dict[str, dict[str, Any]]:
    """What the interpreter said of each case."""
    # The interpreter of 3.6 takes an array for a number, which the numpy of today refuses.
    pytest.importorskip("triton", minversion="3.9", reason=f"{NEEDS}, of version 3.9")
    command = [sys.executable, "-W", "ignore", str(INTERPRETED)]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.pop("name"): line for line in lines}


def test_the_kernel_finds_what_the_loop_finds(interpreted: dict[str, dict[str, Any]]):
    cases = {name: told for name, told in interpreted.items() if "size" in told}
    assert len(cases) == 11
    assert [name for name, told in cases.items() if not told["double"] < 1e-10] == []
    assert [name for name, told in cases.items() if not told["single"] < 1e-5 * max(1, told["size"])] == []


def test_the_kernel_takes_noise_that_is_laid_out_otherwise(interpreted: dict[str, dict[str, Any]]):
    assert interpreted["strides"]["double"] < 1e-10


def test_what_is_not_finite_reaches_no_other_row_and_no_earlier_level(interpreted: dict[str, dict[str, Any]]):
    told = interpreted["not finite"]
    assert told["same"]
    assert told["finite"][0] == told["finite"][3] == 7
    assert 0 < told["finite"][1] < 7


def test_the_kernel_passes_its_trial(interpreted: dict[str, dict[str, Any]]):
    assert interpreted["trial"] == {"taken": True, "warned": []}


SMALL = {"LAYERS": 2, "REVERSE": False, "ROWS": 2, "UNITS": 128}
COMPILED: dict[str, dict[str, Any]] = {
    "100 units": SMALL,
    "one series": {**SMALL, "UNITS": 32, "features": 1, "levels": 1},
    "one unit": {**SMALL, "LAYERS": 1, "UNITS": 32, "hidden": 1, "levels": 1},
    "as wide as fits": {**SMALL, "ROWS": 1, "UNITS": 1024},
    "three layers, reversed": {**SMALL, "LAYERS": 3, "REVERSE": True, "ROWS": 1, "UNITS": 512},
}


@pytest.mark.parametrize("architecture", [80, 90])
@pytest.mark.parametrize("fixed", COMPILED.values(), ids=COMPILED.keys())
def test_the_kernel_compiles_for_a_gpu_that_is_not_there(
    fixed: dict[str, Any], architecture: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    triton = pytest.importorskip("triton", reason=NEEDS)
    compiler = pytest.importorskip("triton.compiler")
    target = pytest.importorskip("triton.backends.compiler").GPUTarget("cuda", architecture, 32)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel: Any = compiled_kernel()
    constants = {**fixed, "BOUND": 3.0}
    kinds = {name: "i32" if name in {"rows", "features", "hidden", "levels"} else "*fp32" for name in kernel.arg_names}
    kinds |= dict.fromkeys(constants, "constexpr")
    source = compiler.ASTSource(fn=kernel, signature=kinds, constexprs=constants)
    made = triton.compile(source, target=target, options={"num_warps": 1, "enable_fp_fusion": True})
    assert made.asm["cubin"]
    # A warp that waited for others, or exchanged units through memory, would be another kernel than the one described.
    assert made.metadata.shared == 0
    assert "bar.sync" not in made.asm["ptx"]
    assert "f16" not in made.asm["ptx"]
    assert "tf32" not in made.asm["ptx"]


def made(features: int = 6, hidden: int = 9, **sizes: Any) -> MADE:
    torch.manual_seed(0)
    network = MADE(features, hidden=hidden, **sizes).requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def rows(network: MADE, count: int = 15) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = (count, network.features), (count, network.hidden)
    z, conditioning = (torch.randn(shape, generator=generator) for shape in shapes)
    return z, conditioning


@torch.no_grad()
def looped(network: MADE, z: Tensor, conditioning: Tensor) -> Tensor:
    return solve_levels(network, z, conditioning, Workspace())


class Launched:
    """A kernel that counts its launches and may be wrong."""

    def __init__(self, spoil: Callable[[Tensor, Tensor], Tensor] = lambda x, z: x) -> None:
        self.sizes: list[int] = []
        self.spoil = spoil

    def __call__(self, network: MADE, z: Tensor, conditioning: Tensor) -> Tensor:
        self.sizes.append(len(z))
        return self.spoil(looped(network, z, conditioning), z)


def test_a_kernel_that_is_right_is_tried_once_for_each_size():
    launch = Launched()
    tried, network = TriedInverse(launch), made()
    z, term = rows(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            found = tried(network, z, term)
            assert found is not None
            assert torch.equal(found, looped(network, z, term))
    assert launch.sizes == [11, 15, 15, 15]
    other = made(reverse=True)
    tried(other, *rows(other, 4))
    assert launch.sizes[4:] == [4, 4]


def _raise(x: Tensor, z: Tensor) -> Tensor:
    raise RuntimeError("out of resource: registers\nHardware limit: 255")


def _last_row_wrong(x: Tensor, z: Tensor) -> Tensor:
    x[-1, -1] += 1e-3
    return x


WRONG: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]] = {
    "it fails": (_raise, r"got RuntimeError: out of resource: registers Hardware limit: 255; paths are drawn level by"),
    "noise for data": (lambda x, z: z, "its data differ by .*, those of the loop by"),
    "a thousandth in a corner": (_last_row_wrong, "its data differ by"),
    "no numbers": (lambda x, z: x * torch.nan, "its data differ by nan"),
    "half the bits": (lambda x, z: x.bfloat16().float(), "its data differ by"),
}


@pytest.mark.parametrize(("spoil", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_kernel_that_is_wrong_is_refused_with_one_warning(spoil: Callable[[Tensor, Tensor], Tensor], reason: str):
    launch = Launched(spoil)
    tried, network = TriedInverse(launch), made()
    with pytest.warns(RuntimeWarning, match=reason) as said:
        assert tried(network, *rows(network)) is None
    assert len(said) == 1
    assert "expected a kernel for 6 series and 2 layers of 9 units on cpu" in str(said[0].message)
    assert "HEMLINE_FUSED=0" in str(said[0].message)
    assert tried(network, *rows(network)) is None
    assert launch.sizes == [11]


def test_a_kernel_that_fails_later_is_refused_then():
    launch = Launched(lambda x, z: x if len(z) == 11 else _raise(x, z))
    tried, network = TriedInverse(launch), made()
    with pytest.warns(RuntimeWarning, match="out of resource"):
        assert tried(network, *rows(network)) is None
    assert tried(network, *rows(network)) is None
    assert launch.sizes == [11, 15]


def test_rows_that_are_not_finite_prove_nothing():
    launch = Launched()
    tried, network = TriedInverse(launch), made()
    z, term = rows(network)
    broken = z.clone()
    broken[3, 0] = torch.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tried(network, broken, term) is None
        assert tried(network, z, term) is not None


def test_the_map_takes_the_kernel_without_gradients_alone(monkeypatch: pytest.MonkeyPatch):
    launch = Launched(lambda x, z: x + 1e-6)
    monkeypatch.setattr(masked_affine_module, "may_be_fused", lambda network, z: True)
    monkeypatch.setattr(masked_affine_module, "fused_inverse", TriedInverse(launch))
    bijection = MaskedAffine(6, hidden=9)
    z, term = rows(bijection.made)
    kept = bijection.inverse(z, term)
    assert launch.sizes == []
    with torch.no_grad():
        assert torch.equal(bijection.inverse(z, term), looped(bijection.made, z, term) + 1e-6)
    assert launch.sizes == [11, 15]
    assert kept.requires_grad


def test_the_map_takes_the_loop_where_the_kernel_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(masked_affine_module, "may_be_fused", lambda network, z: True)
    monkeypatch.setattr(masked_affine_module, "fused_inverse", TriedInverse(Launched(lambda x, z: z)))
    bijection = MaskedAffine(6, hidden=9)
    z, term = rows(bijection.made)
    with torch.no_grad(), pytest.warns(RuntimeWarning, match="fused inverse"):
        assert torch.equal(bijection.inverse(z, term), looped(bijection.made, z, term))


def on_a_gpu(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Noise that says it lies on a GPU, and lies nowhere."""
    with FakeTensorMode():
        return torch.empty(*shape, device="cuda", dtype=dtype)


def test_where_a_kernel_may_be_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial_module, "_has_triton", lambda: True)
    monkeypatch.delenv("HEMLINE_FUSED", raising=False)
    network = made()
    assert may_be_fused(network, on_a_gpu(15, 6))
    assert not may_be_fused(network, torch.zeros(15, 6))
    assert not may_be_fused(network, on_a_gpu(0, 6))
    assert not may_be_fused(network, on_a_gpu(15, 6, dtype=torch.float64))
    assert not may_be_fused(made().double(), on_a_gpu(15, 6))
    assert not may_be_fused(made(hidden=8, hidden_layers=4), on_a_gpu(15, 6))
    monkeypatch.setenv("HEMLINE_FUSED", "0")
    assert not may_be_fused(network, on_a_gpu(15, 6))
    monkeypatch.setenv("HEMLINE_FUSED", "1")
    assert may_be_fused(network, on_a_gpu(15, 6))
    monkeypatch.setattr(trial_module, "_has_triton", lambda: False)
    assert not may_be_fused(network, on_a_gpu(15, 6))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_what_fits_is_held_by_a_warp(layers: int):
    """At most 64 numbers of state a thread, whatever fits."""
    widest = max(
        width for width in (1, 32, 33, 512, 513, 682, 1024, 1025) if fits(MADE(2, hidden=width, hidden_layers=layers))
    )
    assert widest == {1: 1024, 2: 1024, 3: 512}[layers]
    assert padded(widest) * layers <= 64 * 32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("features", "hidden", "layers", "count"), [(1, 8, 2, 5), (137, 100, 3, 1001), (963, 100, 2, 1000)]
)
def test_the_kernel_on_a_gpu(features: int, hidden: int, layers: int, count: int):
    pytest.importorskip("triton", reason=NEEDS)
    network = made(features, hidden, hidden_layers=layers).cuda()
    z, term = (part.cuda() for part in rows(network, count))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = trial_module.fused_inverse(network, z, term)
    exact = looped(network.double(), z.double(), term.double())
    assert found is not None
    torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-4)
