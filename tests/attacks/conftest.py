"""What every attack needs: folders as the library wrote them, and a file that is there if somebody else's code ran."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hemline.datasets import ForecastData, get_dataset

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored"
PREDICTORS = STORED / "predictors"


@pytest.fixture(scope="session")
def sales() -> ForecastData:
    """The table that the stored predictors were trained on."""
    return get_dataset(str(STORED / "sales.toml"))


@pytest.fixture
def stored(tmp_path) -> Callable[[str], Path]:
    """A function that copies a stored predictor to where it can be changed."""

    def copied(kind: str) -> Path:
        return Path(shutil.copytree(PREDICTORS / kind, tmp_path / kind))

    return copied


@pytest.fixture
def ran(tmp_path, monkeypatch) -> Iterator[Path]:
    """The file that any of the payloads writes, and ``attacking``, a module that writes it where it is imported."""
    marker = tmp_path / "somebody-ran"
    code = tmp_path / "code"
    code.mkdir()
    (code / "attacking.py").write_text(
        f"import pathlib\nfrom gluonts.model.predictor import RepresentablePredictor\n\n"
        f"pathlib.Path({str(marker)!r}).touch()\n\n\nclass Thing(RepresentablePredictor):\n    pass\n\n\n"
        "def build(metadata):\n    return Thing(1)\n"
    )
    monkeypatch.syspath_prepend(str(code))
    yield marker
    sys.modules.pop("attacking", None)
