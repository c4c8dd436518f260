from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hemline.vision import plots
from hemline.vision.commands import app
from PIL import Image
from typer.testing import CliRunner

SMALL = ["--size", "24", "--widths", "4,8", "--epochs", "1", "--mirror", "0", "--crop", "1", "--device", "cpu"]


def test_a_tested_run_is_drawn(shop: Path, tmp_path: Path) -> None:
    run, runner = tmp_path / "run", CliRunner()
    shared = ["--data", str(shop), "--checkpoint", str(run)]
    runner.invoke(app, ["classify", "train", *shared, *SMALL], catch_exceptions=False)
    with pytest.raises(FileNotFoundError, match=r"expected a run with test\.json"):
        runner.invoke(app, ["classify", "plot", *shared], catch_exceptions=False)
    runner.invoke(app, ["classify", "test", *shared, "--device", "cpu"], catch_exceptions=False)
    done = runner.invoke(app, ["classify", "plot", *shared], catch_exceptions=False)
    drawn = [Path(line) for line in done.output.split() if line.endswith(".png")]
    assert {path.name for path in drawn} >= {"filters.png", "reliability.png", "confusion-shape.png"}
    assert ("map.png" in {path.name for path in drawn}) == (importlib.util.find_spec("sklearn") is not None)
    for path in drawn:
        assert np.asarray(Image.open(path).convert("L")).std() > 5


def test_labels_with_dollar_signs_and_few_articles_are_drawn_without_the_map(
    shop: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run, runner, table = str(tmp_path / "run"), CliRunner(), shop.parent / "shop.jsonl"
    rows = table.read_text().replace('"round"', '"$10_$20"').splitlines()
    table.write_text("\n".join(rows[:14]))
    shop.write_text(shop.read_text().split("[order]")[0])
    shared = ["--data", str(shop), "--checkpoint", run]
    runner.invoke(app, ["classify", "train", *shared, *SMALL, "--task", "shape"], catch_exceptions=False)
    runner.invoke(app, ["classify", "test", *shared, "--device", "cpu"], catch_exceptions=False)
    done = runner.invoke(app, ["classify", "plot", *shared], catch_exceptions=False)
    assert "confusion-shape.png" in done.output
    assert "map.png" not in done.output
    assert "map.png is left out: it needs" in caplog.text


def test_the_most_confident_mistakes_stand_first() -> None:
    photos = [np.full((3, 4, 4), shade, np.uint8) for shade in (10, 120, 250)]
    figure = plots.mistakes(photos, ["a", "a", "b"], ["b", "b", "a"], [0.4, 0.9, 0.5], each=2)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["b\n0.90", "b\n0.40", "a\n0.50"]


def test_drawing_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one mistake"):
        plots.mistakes([], [], [], [])


def test_a_map_of_few_articles_is_refused() -> None:
    pytest.importorskip("sklearn", reason="the map needs scikit-learn")
    with pytest.raises(ValueError, match="at least 5 articles for a map, got 2"):
        plots.embedding_map(np.zeros((2, 3)), [], [])
