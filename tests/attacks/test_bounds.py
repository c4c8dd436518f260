"""Bounds: what a file declares, and what an argument asks for, is compared with what there is before it is made."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hemline.datasets.benchmarks.archives import read_archive
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import MOST_PIXELS, load_pictures, open_photo
from hemline.forecasting import load_predictor
from hemline.runtime.reading import room
from memory import forget_peak, needs_linux, peak
from PIL import Image
from plain_data import numbers, replaced

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored" / "predictors"
pytestmark = pytest.mark.filterwarnings("ignore:dropout option adds dropout", "ignore:Image size")
NETWORKS = sorted(path.parent.name for path in STORED.glob("*/weights.safetensors"))
LARGE = (10**4, 10**6, 10**9, 2**40)


def refusal(folder: Path) -> str | None:
    """What is wrong with a predictor; ``None`` if it is read."""
    try:
        load_predictor(folder)
    except ValueError as error:
        return str(error)
    return None


@needs_linux
@pytest.mark.parametrize("written", ["before", "now"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_larger_than_its_weights_is_refused_before_it_is_built(stored, kind, written):
    folder = stored(kind)
    predictor = load_predictor(folder)
    if written == "now":
        predictor.serialize(folder)
    path = folder / "predictor.json"
    whole = json.loads(path.read_text())
    read = ("estimator", "spec") if written == "before" else ("composition",)
    sizes = [where for where in numbers(whole) if where[0] in read and "train" not in where]
    assert len(sizes) > 8
    for number, where in enumerate(sizes):
        path.write_text(json.dumps(replaced(whole, where, LARGE[number % len(LARGE)])))
        before, error = forget_peak(), refusal(folder)
        assert peak() - before < 64 * 2**20, where
        assert error is None or (str(folder) in error and "\n" not in error), where


@needs_linux
@pytest.mark.parametrize("kind", ["deepar", "feed-forward"])
def test_a_network_of_gluonts_larger_than_its_weights_likewise(stored, kind):
    folder = stored(kind)
    path = folder / "univariate" / "predictor.json"
    whole = json.loads(path.read_text())
    load_predictor(folder)
    for number, where in enumerate(numbers(whole)):
        path.write_text(json.dumps(replaced(whole, where, LARGE[number % len(LARGE)])))
        before, error = forget_peak(), refusal(folder)
        assert peak() - before < 64 * 2**20, where
        assert error is None or (str(folder) in error and "\n" not in error), where


def test_weights_of_another_form_are_named(stored):
    folder = stored("gru-maf")
    weights = safetensors.torch.load_file(folder / "weights.safetensors")
    name = next(name for name in weights if weights[name].ndim == 2)
    for wrong, got in ((weights[name].double(), "float64"), (weights[name][:1], r"float32 \[1, "), (None, "absent")):
        changed = {key: value for key, value in {**weights, name: wrong}.items() if value is not None}
        safetensors.torch.save_file(changed, folder / "weights.safetensors")
        with pytest.raises(ValueError, match=rf"weights.safetensors: expected {name} to be float32 .*, got {got}"):
            load_predictor(folder)


def test_compressed_tensors_are_refused_unread(stored):
    folder = stored("feed-forward")
    (weights,) = (folder / "univariate").glob("*.pt")
    torch.save({"a": torch.zeros(10**6)}, weights)
    with zipfile.ZipFile(weights) as packed:
        parts = {part.filename: packed.read(part) for part in packed.infolist()}
    with zipfile.ZipFile(weights, "w", zipfile.ZIP_DEFLATED) as packed:
        for part, content in parts.items():
            packed.writestr(part, content)
    assert weights.stat().st_size < 10**5
    with pytest.raises(ValueError, match="expected tensors as they are, got compressed ones"):
        load_predictor(folder)


@pytest.mark.parametrize("kind", ["random-walk", "gru-maf", "seasonal-naive", "var", "deepar", "pool", "last-value"])
@pytest.mark.parametrize(
    ("count", "told"), [(10**9, "for which there is memory"), (10**12, "a whole number"), (0, "a whole number from 1")]
)
def test_paths_that_memory_has_no_room_for_are_refused(kind, count, told, sales):
    predictor = load_predictor(STORED / kind)
    with pytest.raises(ValueError, match=f"num_samples: expected .*{told}.*, got {count}"):
        next(iter(predictor.predict([sales.history(0)], num_samples=count)))


def test_the_memory_of_a_container_counts(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("1000\n")
    (tmp_path / "current").write_text("400\n")
    monkeypatch.setattr(room, "_LIMITS", ((tmp_path / "max", tmp_path / "current"),))
    assert room.free_memory() == 600
    (tmp_path / "max").write_text("max\n")
    assert room.free_memory() > 10**6


def test_a_horizon_of_a_file_is_bounded(stored):
    folder = stored("random-walk")
    path = folder / "predictor.json"
    path.write_text(path.read_text().replace('"prediction_length": 8', '"prediction_length": 10000000'))
    with pytest.raises(ValueError, match="prediction_length: expected a whole number from 1 to 100000, got 10000000"):
        load_predictor(folder)


def picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "png")
    return file.getvalue()


@needs_linux
def test_photos_of_very_many_pixels_are_set_aside_undecoded(tmp_path):
    assert MOST_PIXELS < 13_000**2
    (tmp_path / "large.png").write_bytes(picture(13_000, 13_000))
    (tmp_path / "good.png").write_bytes(picture(30, 20))
    before = forget_peak()
    articles = tuple(Article(name, (str(tmp_path / f"{name}.png"),)) for name in ("large", "good"))
    pictures = load_pictures(Catalogue(articles), 8)
    assert peak() - before < 64 * 2**20
    assert [bad.reason for bad in pictures.quarantine] == ["photo: expected at most 64 megapixels, got 169"]
    assert len(pictures) == 1


@needs_linux
def test_large_photos_are_decoded_one_at_a_time(tmp_path):
    (tmp_path / "large.png").write_bytes(picture(5_000, 5_000))
    before = forget_peak()
    load_pictures(Catalogue((Article("a", (str(tmp_path / "large.png"),)),)), 8)
    one = peak() - before
    before = forget_peak()
    articles = tuple(Article(str(number), (str(tmp_path / "large.png"),)) for number in range(8))
    assert len(load_pictures(Catalogue(articles), 8)) == 8
    assert peak() - before < 2 * one


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(touch) run\n", b"%PDF-1.4\n"])
def test_a_page_description_is_no_photo(content):
    with pytest.raises(ValueError, match="photo: expected a picture, got a file that is no picture"):
        open_photo(content)


def packed(folder: Path, lines: bytes) -> Path:
    path = folder / "tiny.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for part in ("train", "test"):
            entry = tarfile.TarInfo(f"tiny/{part}/data.json")
            entry.size = len(lines)
            tar.addfile(entry, io.BytesIO(lines))
    return path


ROW = json.dumps({"start": "2024-01-01", "target": [1.0, 2.0]}).encode() + b"\n"


def test_an_archive_of_more_rows_than_there_can_be_is_not_read_on(tmp_path):
    path = packed(tmp_path, ROW * 5)
    assert len(read_archive(path, {"train": 5, "test": 5}).test) == 5
    with pytest.raises(ValueError, match=r"train/data\.json, line 5: expected 4 series, got more"):
        read_archive(path, {"train": 4, "test": 4})


@needs_linux
def test_a_line_without_an_end_is_not_read_to_its_end(tmp_path):
    (tmp_path / "train").mkdir()
    with gzip.open(tmp_path / "train" / "data.json.gz", "wb", compresslevel=1) as file:
        file.write(b'{"start": "2024-01-01", "target": [0')
        for _ in range(200):
            file.write(b",0" * 2**19)
    before = forget_peak()
    with pytest.raises(ValueError, match=r"line 1: expected a series of at most 16 MB, got more"):
        read_archive(tmp_path)
    assert peak() - before < 100 * 2**20


def test_series_that_memory_has_no_room_for_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hemline.datasets.benchmarks.archives.free_memory", lambda: 100)
    with pytest.raises(ValueError, match=r"line 7: expected series that memory has room for"):
        read_archive(packed(tmp_path, ROW * 10))


def test_a_description_is_not_larger_than_any_is(tmp_path):
    from hemline.runtime.toml_files import LARGEST, read_description

    with (tmp_path / "shop.toml").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ValueError, match=r"shop\.toml: expected at most 16 MB, got more"):
        read_description(str(tmp_path / "shop.toml"))


def test_json_deeper_than_python_reads_is_one_error(stored):
    folder = stored("random-walk")
    for name in ("gluonts-config.json", "predictor.json"):
        before = (folder / name).read_text()
        (folder / name).write_text("[" * 10**6)
        with pytest.raises(ValueError, match=rf"{name}: not JSON"):
            load_predictor(folder)
        (folder / name).write_text(before)
    assert np.isfinite(load_predictor(folder).seed)
