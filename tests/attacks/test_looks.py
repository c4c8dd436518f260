"""Indexes of photos that somebody else made, and folders in which something else lies as well."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from hemline import cli
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import load_pictures
from hemline.datasets.pictures.source import open_source
from hemline.runtime.reading.places import without_network
from hemline.vision.search.index import Hit, PhotoIndex
from hemline.vision.search.look_alikes import build_index, extend_index, find_similar
from hemline.vision.search.sheet import contact_sheet
from memory import forget_peak, needs_linux, peak
from pages import Tags
from PIL import Image
from plain_data import numbers, replaced
from test_bounds import LARGE
from test_fuzz import MOST, at_most, growth, spoil
from test_picture_runs import NO_FILES, replaced_by
from typer.testing import CliRunner

COLOURS = ("red", "green", "blue", "navy", "gold", "teal")


def shop(folder: Path, names: str) -> str:
    """The description of articles with a photo each."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        Image.new("RGB", (12, 9 + number), COLOURS[number % 6]).save(folder / "photos" / f"{name}.png")
    rows = [{"id": name, "images": [f"{name}.png"], "title": f"the {name}"} for name in names]
    (folder / f"{names}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    place = folder / f"{names}.toml"
    place.write_text(f'table = "{names}.jsonl"\nphotos = "photos"\nitem_id = "id"\nimages = "images"\ntext = "title"\n')
    return str(place)


def built(folder: Path, names: str = "abcdef") -> PhotoIndex:
    source = open_source(shop(folder / "shop", names))
    return build_index(source, str(folder / "looks"), made_by={"backbone": "small-cnn"}, axes=4)[0]


def command(*words: object) -> tuple[int, str]:
    if not cli.app.registered_groups:
        cli.mount()
    result = CliRunner().invoke(cli.app, [str(word) for word in words])
    return result.exit_code, result.output


# -- what else lies in the folder ------------------------------------------------------------------------------------


def test_an_index_leaves_what_is_not_its_own_alone(tmp_path):
    foreign = tmp_path / "looks"
    (foreign / "below").mkdir(parents=True)
    names = (
        "notes.txt",
        "a.parquet",
        "weights.safetensors",
        "maker.safetensors",
        ".hidden",
        "below/it.parquet",
        "0" * 16,
    )
    for name in names:
        (foreign / name).write_text(f"mine: {name}")
    (foreign / "link").symlink_to(tmp_path / "nowhere")

    def kept() -> bool:
        return (foreign / "link").is_symlink() and all((foreign / one).read_text() == f"mine: {one}" for one in names)

    index = built(tmp_path)
    assert kept()
    index, _ = extend_index(index, open_source(shop(tmp_path / "shop", "xyz")))
    assert kept()
    index = index.remove("abcdef")  # most of it, so that the rows are written anew and the old files go
    assert kept()
    build_index(
        open_source(shop(tmp_path / "shop", "ab")),
        str(foreign),
        made_by={"backbone": "small-cnn"},
        axes=4,
        replace_index=True,
    )
    assert kept()
    own = {path.name for path in foreign.iterdir()} - {name.partition("/")[0] for name in names} - {"link"}
    assert len(own) == 4, own


# -- places on a network ---------------------------------------------------------------------------------------------


def rewritten(index: PhotoIndex, **changes: object) -> PhotoIndex:
    """The index with other words about what made it."""
    path = Path(index.folder.address) / "index.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "described": {**told["described"], **changes}}))
    return PhotoIndex.open(index.folder.address)


def test_the_page_of_an_index_asks_no_address_that_its_rows_name(tmp_path, server):
    made = built(tmp_path).vectors
    (tmp_path / "theirs").mkdir()
    rows = made.rows(np.arange(len(made)))
    object.__setattr__(rows, "photos", tuple(f"{server.url}/a.png?{item}" for item in rows.item_ids))
    index = PhotoIndex.write(str(tmp_path / "theirs"), rows, {"backbone": "small-cnn"}, built_tensors(tmp_path))
    words = ("vision", "similar", "a", "--index", index.folder.address, "--out", tmp_path / "it.html")
    status, told = command(*words)
    assert status == 0, told
    assert "--fetch" in told
    assert server.asked == []
    assert "data:image" not in (tmp_path / "it.html").read_text()
    status, told = command(*words, "--fetch")
    assert status == 0, told
    assert len(set(server.asked)) == 6
    assert (tmp_path / "it.html").read_text().count("data:image") == 6


def built_tensors(folder: Path) -> dict:
    return PhotoIndex.open(str(folder / "looks")).tensors()


def test_a_photo_on_a_network_that_was_asked_with_is_shown(server):
    hit = Hit("b", f"{server.url}/a.png?theirs", 0.5, {}, "")
    page = contact_sheet([f"{server.url}/a.png"], [hit], photos=[f"{server.url}/a.png"])
    assert set(server.asked) == {"/a.png"}
    assert page.count("data:image") == 1


@pytest.mark.parametrize(
    "remembered", [{"run": "{url}/run"}, {"backbone": "somebody/model"}, {"locator": "{url}/where"}]
)
def test_an_index_asks_no_address_that_it_remembers(tmp_path, server, monkeypatch, remembered):
    index = built(tmp_path)
    index = rewritten(index, **{name: value.format(url=server.url) for name, value in remembered.items()})
    monkeypatch.setattr("huggingface_hub.file_download.http_get", lambda *_, **__: pytest.fail("a request"))
    with pytest.raises((ValueError, OSError)) as caught:
        find_similar(index, [str(tmp_path / "shop" / "photos" / "a.png")])
    assert index.folder.address in str(caught.value)
    assert server.asked == []


def test_the_threads_that_open_photos_know_which_places_may_not_be_asked(server):
    photos = Catalogue((Article("a", (f"{server.url}/a.png",)),))
    with without_network("no"):
        assert [bad.reason for bad in load_pictures(photos, 8).quarantine] == [
            f"{server.url}/a.png: expected a place on this machine, got one on a network; no"
        ]
    assert server.asked == []
    assert len(load_pictures(photos, 8)) == 1


# -- spoilt files ----------------------------------------------------------------------------------------------------


def refusal(folder: Path, photo: Path) -> str | None:
    """What is wrong with an index, its words read and a photo asked with; `None` if nothing is."""
    try:
        index = PhotoIndex.open(str(folder))
        find_similar(index, [index.item_ids[0]], k=1)
        find_similar(index, [str(photo)], k=1)
    except (ValueError, OSError) as error:
        return str(error)
    return None


@needs_linux
def test_an_index_larger_than_its_files_is_refused_before_there_is_room_for_it(tmp_path):
    index = built(tmp_path)
    path, photo = Path(index.folder.address) / "index.json", tmp_path / "shop" / "photos" / "a.png"
    whole = json.loads(path.read_text())
    assert refusal(path.parent, photo) is None
    for number, where in enumerate(numbers(whole)):
        path.write_text(json.dumps(replaced(whole, where, LARGE[number % len(LARGE)])))
        before, error = forget_peak(), refusal(path.parent, photo)
        assert peak() - before < MOST, where
        assert error is not None, where
        assert "\n" not in error, where


@needs_linux
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))])
def test_a_spoilt_index(tmp_path, ran, seed):
    built(tmp_path)
    photo, honest, refused = tmp_path / "shop" / "photos" / "a.png", [], 0
    with growth(honest):
        assert refusal(tmp_path / "looks", photo) is None
    for number in range(40):
        folder, took = Path(shutil.copytree(tmp_path / "looks", tmp_path / str(number))), []
        told = spoil(folder, random.Random(f"index {seed} {number}"))
        with at_most(20), growth(took):
            error = refusal(folder, photo)
        assert took[0] <= 2 * honest[0] + MOST, told
        assert error is None or (str(folder) in error and "\n" not in error), (told, error)
        refused += error is not None
        shutil.rmtree(folder)
    assert refused > 15
    assert not ran.exists()


@pytest.mark.parametrize("kind", NO_FILES)
def test_a_file_of_an_index_that_is_no_file_is_refused_unread(tmp_path, kind):
    folder, photo = Path(built(tmp_path).folder.address), tmp_path / "shop" / "photos" / "a.png"
    for path in list(folder.iterdir()):
        with replaced_by(kind, path, tmp_path / "kept"):
            error = refusal(folder, photo)
        assert error is not None, path
        assert str(folder) in error, path
    assert refusal(folder, photo) is None


# -- words of others on the page -------------------------------------------------------------------------------------


def test_what_a_table_says_is_text_on_the_page():
    evil = "</b></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    hit = Hit(evil, evil, 0.5, {evil: (evil,)}, evil)
    page = contact_sheet([evil], [hit], photos=[evil], title=evil)
    tags = Tags(page)
    assert tags.acts == []
    assert "script" not in tags.found
    assert "img" not in tags.found
    assert page.count("alert(1)") > 8
