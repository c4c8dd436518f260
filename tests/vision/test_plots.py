from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.commands.commands import app
from hemline.vision.plots import figures as plots
from hemline.vision.plots import plot_run as plotting
from hemline.vision.plots.planes import Method, on_plane
from hemline.vision.plots.plot_run import plot_run
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
    assert {path.name for path in drawn} >= {"filters.png", "curves.png", "reliability.png", "confusion-shape.png"}
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


def test_long_answers_and_answers_of_nothing_are_told_apart() -> None:
    photos = [np.full((3, 4, 4), 100, np.uint8)] * 2
    said = "|".join(f"a rather long label {number}" for number in range(9))
    figure = plots.mistakes(photos, ["a", "a"], ["", said], [0.9, 0.5], each=2)
    first, second = [axis.get_title().splitlines() for axis in figure.axes]
    assert first == ["(nothing)", "0.90"]
    assert len(second) == 4
    assert max(map(len, second)) <= 18
    assert second[-2].endswith("…")


def test_a_confusion_of_hundreds_of_classes_shows_the_most_frequent() -> None:
    counts = np.zeros((301, 300), dtype=int)
    counts[np.arange(240, 300), np.arange(240, 300)] = 3
    counts[299, 0] = 1
    figure = plots.confusion(counts, [f"brand {number}" for number in range(300)], title="brand")
    (axis,) = figure.axes
    shares = np.asarray(axis.images[0].get_array())
    assert axis.get_title() == "brand (the 60 most frequent of 300 classes)"
    assert [label.get_text() for label in axis.get_yticklabels()] == [f"brand {number}" for number in range(240, 300)]
    assert shares.diagonal()[:-1].tolist() == [1.0] * 59
    assert shares[-1, -1] == 0.75
    assert max(figure.get_size_inches()) < 25


def test_a_map_gives_each_label_a_colour_of_its_own_or_grey() -> None:
    pytest.importorskip("sklearn", reason="the map needs scikit-learn")
    labels = [f"brand {number:02d}" for number in range(30)] * 2 + ["brand 29"]
    vectors = np.random.default_rng(0).normal(size=(61, 4)).astype(np.float32)
    figure = plots.embedding_map(vectors, [np.zeros((1, 4, 4), np.uint8)] * 61, labels)
    legend = figure.axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert len(names) == 20
    assert names[-2:] == ["brand 29", "11 rarer ones"]
    assert len({line.get_color() for line in legend.get_lines()}) == 20


def test_a_large_map_shows_articles_of_the_whole_table_and_facets_have_no_reliability(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, runner, shown = str(tmp_path / "run"), CliRunner(), []
    shared = ["--data", str(shop), "--checkpoint", run]
    words = [*SMALL, "--task", "facets", "--test", "0.5"]
    runner.invoke(app, ["classify", "train", *shared, *words], catch_exceptions=False)
    runner.invoke(app, ["classify", "test", *shared, "--device", "cpu"], catch_exceptions=False)
    monkeypatch.setattr(plotting.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(plotting, "_maps", lambda *parts: shown.append(parts) or [plots.plt.figure()])
    drawn = plot_run(run, open_source(str(shop)), articles=6)
    assert {Path(path).name for path in drawn} == {"filters.png", "curves.png", "mistakes-facets.png", "map.png"}
    ((_, _, _, items, *_, which, methods),) = shown
    assert methods == ["tsne"]
    tested = RunFolder(run).read_json("split.json")["test"]
    places = [tested.index(item) for item in items]
    assert len(places) == 6
    assert places == sorted(places) != list(range(6))
    assert which == f"6 of {len(tested)} test articles"
    (shop.parent / "photos" / f"{items[0][1:]}-0.png").unlink()
    with pytest.raises(ValueError, match=f"photos that were tested, got none of item '{items[0]}'"):
        plot_run(run, open_source(str(shop)))


def test_drawing_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one mistake"):
        plots.mistakes([], [], [], [])


def test_a_map_of_few_articles_is_refused() -> None:
    pytest.importorskip("sklearn", reason="the map needs scikit-learn")
    with pytest.raises(ValueError, match="at least 5 articles for a map, got 2"):
        plots.embedding_map(np.zeros((2, 3)), [], [])


def blobs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of three groups far from each other, in ten dimensions."""
    rng = np.random.default_rng(0)
    group = np.arange(count) % 3
    return (rng.normal(size=(count, 10)) + 20 * np.eye(10)[group]).astype(np.float32), group


@pytest.mark.parametrize(
    ("method", "package"), [("tsne", "sklearn"), pytest.param("umap", "umap", marks=pytest.mark.slow)]
)
def test_a_plane_keeps_groups_together_and_is_drawn_twice_the_same(method: Method, package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs the package {package}")
    vectors, group = blobs(60)
    places = on_plane(vectors, method)
    assert np.array_equal(places, on_plane(vectors, method))
    assert (places.min(axis=0), places.max(axis=0)) == (pytest.approx(0), pytest.approx(1))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(60)
    assert (group[apart.argmin(axis=1)] == group).all()
    assert on_plane(vectors[:5], method).shape == (5, 2)
    figure = plots.embedding_map(vectors, [np.zeros((1, 4, 4), np.uint8)] * 60, ["a"] * 60, method=method)
    assert np.asarray(figure.axes[0].collections[0].get_offsets()) == pytest.approx(places)


def test_a_map_by_umap_is_drawn_beside_the_other_or_refused_in_one_line_before_any_photo_is_opened(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn", reason="the map needs scikit-learn")
    run, runner, asked = str(tmp_path / "run"), CliRunner(), []
    shared = ["--data", str(shop), "--checkpoint", run]
    runner.invoke(app, ["classify", "train", *shared, *SMALL, "--task", "shape"], catch_exceptions=False)
    runner.invoke(app, ["classify", "test", *shared, "--device", "cpu"], catch_exceptions=False)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ValueError, match="umap: expected umap-learn to be installed, got none; pip install umap-learn"):
        plot_run(run, replace(open_source(str(shop)), catalogue=None), umap=True)
    monkeypatch.setattr(plotting, "require_umap", lambda: None)
    monkeypatch.setattr(plots, "on_plane", lambda vectors, method, seed: asked.append(method) or vectors[:, :2])
    done = runner.invoke(app, ["classify", "plot", *shared, "--umap"], catch_exceptions=False)
    names = [Path(line).name for line in done.output.splitlines()]
    assert [name for name in names if name.startswith("map")] == ["map.png", "map-umap.png"]
    assert asked == ["tsne", "umap"]
