"""Files that name places: nothing is asked for or read where the user did not send the library himself."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
from hemline.datasets import get_dataset
from hemline.datasets.benchmarks.archives import read_archive
from hemline.datasets.benchmarks.download import download
from hemline.datasets.pictures.catalogue import CatalogueTable, read_catalogue, read_photo_folder
from hemline.datasets.pictures.photos import load_pictures
from hemline.datasets.pictures.source import open_source
from hemline.evaluation import load_backtest
from hemline.evaluation.adapters.predictor_folder import Trained, remember_training, remembered_dataset
from hemline.forecasting import load_predictor
from hemline.forecasting.commands.simulate import load_remembered
from hemline.forecasting.commands.train import _update
from hemline.runtime.reading.places import without_network
from hemline.runtime.run_folder import RunFolder
from hemline.runtime.toml_files import read_description
from hemline.vision.embed.encoder import open_encoder
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.plots.plot_run import plot_captions
from PIL import Image

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored"


def catalogue(folder: Path, names: list[str], photos: str | None = None):
    rows = [{"item_id": f"i{number}", "images": [name]} for number, name in enumerate(names)]
    (folder / "shop.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return read_catalogue(str(folder / "shop.jsonl"), photos=photos, columns=CatalogueTable())


@pytest.mark.parametrize(
    "chain", ["", "simplecache::", "filecache::", "blockcache::", "zip://x::", "a.png::", "../a::"]
)
def test_a_table_does_not_choose_a_place_on_a_network(tmp_path, server, chain):
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    pictures = load_pictures(catalogue(tmp_path, ["good.png", f"{chain}{server.url}/a.png"]), 8)
    assert [bad.item_id for bad in pictures.quarantine] == ["i1"]
    assert len(pictures) == 1
    assert server.asked == []


def test_a_description_that_names_an_address_has_its_photos_there(tmp_path, server):
    pictures = load_pictures(catalogue(tmp_path, ["a.png", f"{server.url}/a.png"], photos=server.url), 8)
    assert (len(pictures), pictures.quarantine) == (2, ())
    assert set(server.asked) == {"/a.png"}


def test_a_remote_table_does_not_read_files_of_this_machine(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "private.png")
    files = fsspec.filesystem("memory")
    row = json.dumps({"item_id": "a", "images": [str(tmp_path / "private.png"), f"file://{tmp_path}/private.png"]})
    files.pipe("/attack/shop.jsonl", row.encode())
    shop = read_catalogue("memory://attack/shop.jsonl", columns=CatalogueTable())
    pictures = load_pictures(shop, 8)
    assert (len(pictures), len(pictures.quarantine)) == (0, 2)


def special(folder: Path, kind: str) -> Path:
    """A file that never ends, or waits for ever."""
    path = folder / "a.png"
    if kind == "named pipe":
        os.mkfifo(path)
    elif kind == "link to a named pipe":
        os.mkfifo(folder / "pipe")
        path.symlink_to(folder / "pipe")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "terminal":
        path.symlink_to("/dev/tty")
    elif kind == "socket":
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.close()
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(10**12)
    return path


SPECIAL = ("named pipe", "link to a named pipe", "device", "terminal", "socket", "folder", "a sparse terabyte")


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_set_aside_unread(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the address of a socket is short
    special(Path(), kind)
    pictures = load_pictures(catalogue(tmp_path, ["a.png"]), 8)
    assert [bad.item_id for bad in pictures.quarantine] == ["i0"]
    (tmp_path / "folder" / "red").mkdir(parents=True)
    shutil.move("a.png", tmp_path / "folder" / "red" / "a.png")
    if kind != "folder":
        Image.new("RGB", (8, 8)).save(tmp_path / "folder" / "red" / "b.png")
        assert len(load_pictures(read_photo_folder(str(tmp_path / "folder")), 8)) == 1


@pytest.mark.parametrize("kind", SPECIAL[:3])
def test_a_description_or_a_predictor_that_is_no_file_is_refused(tmp_path, stored, kind):
    path = special(tmp_path, kind)
    with pytest.raises(ValueError, match=r"expected a file, got a (named pipe|device)"):
        read_description(str(path))
    for name in ("gluonts-config.json", "predictor.json", "weights.safetensors"):
        folder = stored("gru-maf")
        (folder / name).unlink()
        (folder / name).symlink_to(path)
        with pytest.raises((ValueError, FileNotFoundError)):
            load_predictor(folder)
        shutil.rmtree(folder)


def test_a_predictor_asks_no_address_that_it_remembers(stored, server):
    folder, address = stored("sales-maf"), f"{server.url}/shop.toml"
    (folder / "dataset.json").write_text(json.dumps({"name": address}))
    with pytest.raises(ValueError, match=f"on a network; .* remembers '{address}'; pass --dataset {address} if"):
        load_remembered(folder, load_predictor(folder), get_dataset)
    assert server.asked == []
    remember_training(folder, Trained(address, "gru-maf", {}, 0, False))
    assert remembered_dataset(folder) == address
    with pytest.raises(ValueError, match=f"on a network; .* pass --dataset {address} if"):
        _update(folder, None, folder, get_dataset, False)
    assert server.asked == []


def test_what_a_remembered_description_names_is_not_asked_for_either(tmp_path, server):
    (tmp_path / "sales.toml").write_text((STORED / "sales.toml").read_text() + f'vectors = "{server.url}/v.parquet"\n')
    shutil.copy(STORED / "sales.csv", tmp_path)
    with without_network("pass --dataset"), pytest.raises(ValueError, match="on a network; pass --dataset"):
        get_dataset(str(tmp_path / "sales.toml"))
    with without_network("pass --dataset"), pytest.raises(ValueError, match="on a network; pass --dataset"):
        open_source(f"{server.url}/shop.toml")
    assert server.asked == []


def test_a_known_dataset_is_not_fetched_because_a_predictor_remembers_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HEMLINE_DATA", "")
    monkeypatch.setenv("HEMLINE_CACHE", str(tmp_path))
    monkeypatch.setattr("requests.get", lambda *args, **kwargs: pytest.fail("a request"))
    with without_network("pass --dataset"), pytest.raises(ValueError, match="on a network; pass --dataset"):
        get_dataset("exchange_rate_nips")


@pytest.mark.parametrize("described", [{"run": "http://127.0.0.1:9/run"}, {"backbone": "somebody/model"}])
def test_an_annotator_asks_no_address_that_it_remembers(described):
    with without_network("open it yourself"), pytest.raises((ValueError, FileNotFoundError)):
        open_encoder(described)


def test_the_captions_of_a_run_ask_no_address(tmp_path, server):
    frame = pd.DataFrame({"item_id": ["a"], "photo": [f"{server.url}/a.png"], "title": ["t"], "said": ["s"]})
    RunFolder(str(tmp_path / "run")).write_frame("captions.parquet", frame)
    with pytest.raises(ValueError, match="expected photos of the captions in"):
        plot_captions(str(tmp_path / "run"))
    assert server.asked == []


def test_a_run_is_called_as_its_folder_is(tmp_path):
    folder = Path(shutil.copytree(STORED / "backtest", tmp_path / "backtest"))
    (folder / "scores.parquet").unlink()
    outside = tmp_path / "outside"
    shutil.copytree(next((folder / "runs").iterdir()), outside)
    pd.read_parquet(outside / "scores.parquet").assign(value=1e9).to_parquet(outside / "scores.parquet")
    names = []
    for record in (folder / "runs").glob("*/run.json"):
        names.append(record.parent.name)
        record.write_text(json.dumps({**json.loads(record.read_text()), "run": "../../outside"}))
    found = load_backtest(folder)
    assert set(found.runs["run"]) == set(names)
    assert found.scores["value"].max() < 1e9
    for read in (found.forecasts, found.training, found.history):
        with pytest.raises(ValueError, match=r"expected the name of a file, without a path, got '\.\./"):
            read("../../outside")


@pytest.mark.parametrize("linked", ["train", "train/data.json"])
def test_a_link_in_an_unpacked_archive_stays_inside(tmp_path, linked):
    row = json.dumps({"start": "2024-01-01", "target": [1.0, 2.0]})
    for place in ("tiny/train", "tiny/test", "outside/train"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "data.json").write_text(row)
    assert len(read_archive(tmp_path / "tiny").train) == 1
    place = tmp_path / "tiny" / linked
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    place.symlink_to(tmp_path / "outside" / linked)
    with pytest.raises(ValueError, match="refused, the folder holds a link to a file outside of it: 'train"):
        read_archive(tmp_path / "tiny")


def test_a_pipe_in_an_unpacked_archive_is_refused(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        os.mkfifo(tmp_path / part / "data.json")
    with pytest.raises(ValueError, match="expected a file, got a named pipe"):
        read_archive(tmp_path)


def test_a_part_that_is_a_link_does_not_choose_which_file_grows(tmp_path, server):
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (tmp_path / "a.png.part").symlink_to(outside)
    download(f"{server.url}/a.png", tmp_path / "a.png", lambda path: None)
    assert outside.read_bytes() == b"mine"
    assert not (tmp_path / "a.png").is_symlink()
    assert np.asarray(Image.open(tmp_path / "a.png")).shape == (8, 8, 3)


def test_a_backbone_from_a_folder_runs_no_code_that_lies_there(tmp_path, ran):
    (tmp_path / "backbone").mkdir()
    code = (tmp_path / "code" / "attacking.py").read_text()
    (tmp_path / "backbone" / "attacking.py").write_text(code + "\n\nclass Config:\n    pass\n")
    config = {"model_type": "attack", "auto_map": {"AutoConfig": "attacking.Config", "AutoModel": "attacking.Thing"}}
    (tmp_path / "backbone" / "config.json").write_text(json.dumps(config))
    with pytest.raises((ValueError, FileNotFoundError)):
        build_backbone(str(tmp_path / "backbone"))
    assert not ran.exists()
