"""A new head is one file and one line: the laws run over it, and a trained model of it is stored and read."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAD = '''"""Independent Laplace densities, one a series."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.distributions import Laplace as LaplaceDistribution
from torch.nn.functional import softplus

from .head import DensityHead, HeadConfig


@dataclass(frozen=True)
class Laplace(HeadConfig):
    """A Laplace density a series, independent given the context.

    Arguments:
        minimum_scale: smallest scale, in scaled units.
    """

    minimum_scale: float = 1e-3

    def build(self, series: int, context_size: int) -> LaplaceHead:
        """Make the head for `series` series on contexts of width `context_size`."""
        return LaplaceHead(series, context_size, self.minimum_scale)


class LaplaceHead(DensityHead):
    """Location and scale of each series, linear in the context."""

    def __init__(self, series: int, context_size: int, minimum_scale: float) -> None:
        super().__init__()
        self.minimum_scale = minimum_scale
        self.parameters_of = nn.Linear(context_size, 2 * series)

    def distribution(self, context: Tensor) -> LaplaceDistribution:
        """Batch shape ``[..., D]``, empty event shape."""
        location, width = self.parameters_of(context).chunk(2, dim=-1)
        return LaplaceDistribution(location, self.minimum_scale + softplus(width), validate_args=False)

    def draw(self, density: Distribution, generator: torch.Generator | None) -> Tensor:
        """One value of each series, ``[..., D]``."""
        assert isinstance(density, LaplaceDistribution)
        level = torch.rand(density.loc.shape, dtype=density.loc.dtype, generator=generator)
        return density.icdf(level.clamp(1e-7, 1 - 1e-7))
'''
LINE = '    "Laplace": "hemline.forecasting.networks.heads.laplace:Laplace",\n'


@pytest.fixture
def copy(tmp_path) -> Path:
    """The tree with a head more: a file of its own and a line in the table of names."""
    root = tmp_path / "hemline"
    for room in ("runtime", "datasets", "evaluation", "forecasting"):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for tests in ("laws", "house"):
        shutil.copytree(ROOT / "tests" / tests, root / "tests" / tests, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("__init__.py", "pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / file, root / file)
    (root / "forecasting/networks/heads/laplace.py").write_text(HEAD)
    names = root / "forecasting/names.py"
    lines = names.read_text().splitlines(keepends=True)
    lines.insert(lines.index("PLACES = {\n") + 1, LINE)
    names.write_text("".join(lines))
    return root


def test_the_laws_run_over_a_head_that_is_one_file_and_one_line(copy):
    laws = ["tests/laws/test_forecasters.py", "tests/house/test_names.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *laws, "-k", "Laplace or every_class"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Seven laws or more on levels and on changes, the name, and the table that is complete.
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) >= 7 * 2 + 2
