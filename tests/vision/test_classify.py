from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.photos import Pictures
from hemline.datasets.pictures.source import Source, open_source
from hemline.datasets.pictures.split import split_articles
from hemline.runtime.run_folder import RunFolder
from hemline.vision.classify import classify
from hemline.vision.classify import training as training_module
from hemline.vision.classify.classifier import Classifier
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier, predict_photos
from hemline.vision.classify.options import TrainConfig
from hemline.vision.commands.classify import _noticed
from hemline.vision.commands.commands import app
from hemline.vision.networks.article_batches import ArticleBatches
from hemline.vision.networks.augmentation import AugmentConfig
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork
from hemline.vision.networks.small_cnn import SmallCNN
from PIL import Image, ImageOps
from typer.testing import CliRunner

SMALL = NetworkConfig(size=24, widths=(8, 16), hidden=16, dropout=0.1)
SHORT = TrainConfig(epochs=2, batch_size=16, device="cpu", augment=None)


def weights(classifier: Classifier) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in classifier.network.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_small_network_learns_colour_and_shape_and_facets(shop: Path, tmp_path: Path) -> None:
    training = TrainConfig(epochs=25, batch_size=16, lr=1e-2, device="cpu", augment=None)
    train_classifier(open_source(str(shop)), str(tmp_path / "run"), network=SMALL, training=training)
    scores = evaluate_classifier(str(tmp_path / "run"), open_source(str(shop)))
    assert scores["test"]["colour"]["accuracy"] >= 0.9
    assert scores["test"]["facets"]["macro_f1"] >= 0.9


def test_a_loaded_run_answers_what_the_trained_one_answers(shop: Path, tmp_path: Path) -> None:
    trained = train_classifier(open_source(str(shop)), str(tmp_path / "run"), network=SMALL, training=SHORT)
    loaded = Classifier.load(RunFolder(str(tmp_path / "run")))
    assert equal(weights(trained), weights(loaded))
    assert loaded.training == SHORT
    assert loaded.network.labels["shape"].classes == ("square", "round")


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(shop: Path, tmp_path: Path) -> None:
    pytest.importorskip("kornia", reason="augmentation needs the extra 'vision'")
    augment = AugmentConfig(erase=0.5, turn=10)
    runs = [
        weights(
            train_classifier(
                open_source(str(shop)),
                str(tmp_path / str(number)),
                network=SMALL,
                training=TrainConfig(epochs=1, batch_size=16, device="cpu", seed=seed, augment=augment),
            )
        )
        for number, seed in enumerate((0, 0, 1))
    ]
    assert equal(runs[0], runs[1])
    assert not equal(runs[0], runs[2])


def test_a_killed_training_resumes_and_ends_where_an_unbroken_one_ends(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = TrainConfig(epochs=3, batch_size=16, device="cpu", augment=None)
    source = open_source(str(shop))
    unbroken = train_classifier(source, str(tmp_path / "whole"), network=SMALL, training=training)
    original = training_module.Training.training_step
    steps = iter(range(10_000))

    def killed(self, batch, index):
        if next(steps) == 4:
            raise RuntimeError("killed")
        return original(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(training_module.Training, "training_step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            train_classifier(source, str(tmp_path / "broken"), network=SMALL, training=training)
    assert (tmp_path / "broken" / "last.ckpt").exists()
    resumed = train_classifier(source, str(tmp_path / "broken"), network=SMALL, training=training, resume=True)
    assert equal(weights(unbroken), weights(resumed))
    assert not (tmp_path / "broken" / "last.ckpt").exists()
    report = json.loads((tmp_path / "broken" / "report.json").read_text())
    assert [row["epoch"] for row in report["history"]] == [1, 2, 3]


def test_a_process_that_was_shot_goes_on_where_it_stopped(shop: Path, tmp_path: Path) -> None:
    def command(folder: str) -> list[str]:
        given = f"classify train --data {shop} --checkpoint {tmp_path / folder} --size 24 --widths 8,16 --epochs 60"
        return [*given.split(), "--batch-size", "16", "--device", "cpu", "--mirror", "0", "--crop", "1"]

    process = subprocess.Popen(
        [sys.executable, "-m", "hemline", "vision", *command("shot")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "shot" / "last.ckpt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    said = process.communicate()[1].decode()
    assert process.returncode == -signal.SIGKILL, said
    assert not (tmp_path / "shot" / "report.json").exists()
    for folder, more in (("shot", ["--resume"]), ("whole", [])):
        result = CliRunner().invoke(app, [*command(folder), *more])
        assert result.exit_code == 0, result.output
    loaded = [weights(Classifier.load(RunFolder(str(tmp_path / folder)))) for folder in ("shot", "whole")]
    assert equal(*loaded)


def test_a_run_is_not_overwritten_nor_resumed_otherwise_than_it_was_begun(shop: Path, tmp_path: Path) -> None:
    source, run = open_source(str(shop)), str(tmp_path / "run")
    with pytest.raises(ValueError, match="resume: expected a run that was begun"):
        train_classifier(source, run, network=SMALL, training=SHORT, resume=True)
    train_classifier(source, run, network=SMALL, training=SHORT)
    with pytest.raises(ValueError, match="checkpoint: expected an empty folder"):
        train_classifier(source, run, network=SMALL, training=SHORT)
    with pytest.raises(ValueError, match="resume: expected training as the run"):
        train_classifier(source, run, network=SMALL, training=TrainConfig(epochs=9), resume=True)


def rewritten(shop: Path, change: Callable[[int, dict], None]) -> Source:
    """The shop with other rows."""
    rows = [json.loads(line) for line in (shop.parent / "shop.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        change(number, row)
    (shop.parent / "other.jsonl").write_text("\n".join(map(json.dumps, rows)))
    other = shop.parent / "other.toml"
    other.write_text(shop.read_text().replace("shop.jsonl", "other.jsonl"))
    return open_source(str(other))


def test_a_run_is_not_resumed_on_other_labels_or_classes(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, run = open_source(str(shop)), str(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(classify, "fit", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError, match="killed"):
            train_classifier(source, run, network=SMALL, training=SHORT)
    crimson = {"red": "crimson"}
    renamed = rewritten(shop, lambda _, row: row.update(colour=crimson.get(row["colour"], row["colour"])))
    with pytest.raises(ValueError, match=r"expected colour of item i\d+ as .* \(\['red'\]\), got \['crimson'\]"):
        train_classifier(renamed, run, network=SMALL, training=SHORT, resume=True)
    more = rewritten(shop, lambda number, row: row.update(colour="pink") if number == 0 else None)
    with pytest.raises(ValueError, match=r"expected colour of item i0 as .* was begun with \(\[\]\), got \['pink'\]"):
        train_classifier(more, run, network=SMALL, training=SHORT, resume=True)
    turned = replace(source, order={"shape": ("round", "square")})
    with pytest.raises(ValueError, match=r"expected classes of shape as .* \(\['square', 'round'\]\), got"):
        train_classifier(turned, run, network=SMALL, training=SHORT, resume=True)
    train_classifier(source, run, network=SMALL, training=SHORT, resume=True)


def test_bad_input_leaves_the_folder_free(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, run = open_source(str(shop)), str(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(classify, "build_backbone", lambda *_, **__: (_ for _ in ()).throw(ValueError("no such network")))
        with pytest.raises(ValueError, match="no such network"):
            train_classifier(source, run, network=SMALL, training=SHORT)
    pictures = source.load(**build_backbone(size=24).preprocessing.photos)
    held_out = split_articles(source.catalogue, pictures).test[0]
    two = rewritten(shop, lambda _, row: row.update(shape=["round", "square"]) if row["id"] == held_out else None)
    with pytest.raises(ValueError, match=f"at most one 'shape' of item '{held_out}'"):
        train_classifier(two, run, network=SMALL, training=SHORT)
    gone = rewritten(shop, lambda number, row: row.update(photos=["gone.png"]))
    with pytest.raises(ValueError, match=r"articles with a photo, got none of \d+ .*gone\.png: there is no such file"):
        train_classifier(gone, run, network=SMALL, training=SHORT)
    shared = ["--data", str(shop), "--checkpoint", run, "--device", "cuda"]
    for command in (["classify", "train"], ["annotate", "train", "--backbone", "small-cnn"]):
        if not torch.cuda.is_available():
            with pytest.raises(ValueError, match="device: expected a machine with a GPU for 'cuda', got none"):
                CliRunner().invoke(app, [*command, *shared], catch_exceptions=False)
    train_classifier(source, run, network=SMALL, training=SHORT)


def test_test_uses_the_split_that_was_stored_at_training(shop: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_classifier(open_source(str(shop)), str(run), network=SMALL, training=SHORT)
    split = json.loads((run / "split.json").read_text())
    split["test"], split["train"] = split["train"], split["test"]
    (run / "split.json").write_text(json.dumps(split))
    evaluate_classifier(str(run), open_source(str(shop)))
    articles = pd.read_parquet(run / "articles.parquet")
    assert set(articles.loc[articles["side"] == "test", "item_id"]) == set(split["test"])
    photos = pd.read_parquet(run / "photos.parquet")
    assert len(photos) == 60 * (3 + 2 + 4)
    one = photos[(photos["item_id"] == "i0") & (photos["task"] == "shape")]
    assert one["probability"].sum() == pytest.approx(1, abs=1e-5)


def test_bad_photos_new_labels_and_bare_articles_are_reported_and_training_goes_on(shop: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (shop.parent / "shop.jsonl").read_text().splitlines()]
    split_of = {row["id"]: "test" if number % 4 == 0 else "train" for number, row in enumerate(rows)}
    for row in rows:
        row.update(side=split_of[row["id"]], season="summer")
    rows[4]["colour"] = "mauve"
    rows[8]["side"] = "validation"
    rows[8]["colour"] = None
    rows[1]["photos"] = []
    (shop.parent / "photos" / "2-0.png").write_bytes((shop.parent / "photos" / "2-0.png").read_bytes()[:60])
    (shop.parent / "photos" / "3-0.png").unlink()
    shutil.copy(shop.parent / "photos" / "5-0.png", shop.parent / "photos" / "12-0.png")
    (shop.parent / "shop.jsonl").write_text("\n".join(map(json.dumps, rows)))
    text = shop.read_text().replace('"facets"]\nf', '"facets", "season"]\nside = "side"\nf')
    shop.write_text(text)
    run = str(tmp_path / "run")
    train_classifier(open_source(str(shop)), run, network=SMALL, training=SHORT)
    report = RunFolder(run).read_json("report.json")
    assert [Path(bad["address"]).name for bad in report["quarantine"]] == ["2-0.png", "3-0.png"]
    assert all(bad["reason"] for bad in report["quarantine"])
    assert report["articles"]["without_photo"] == ["i1", "i2", "i3"]
    assert report["labels"]["one_class"] == ["season"]
    assert report["labels"]["never_seen_in_training"] == {"colour": {"mauve": 1}}
    assert [Path(photo).name for photo in report["photos"]["on_two_sides"]] == ["5-0.png", "12-0.png"]
    assert "2 photos are on two sides of the split that the source gave" in _noticed(report)
    assert report["history"][0]["validation"].keys() == {"shape", "facets", "season"}
    scores = evaluate_classifier(run, open_source(str(shop)))
    assert sum(scores["test"]["colour"]["confusion"][-1]) == 1
    assert scores["test"]["season"]["accuracy"] == 1
    articles = RunFolder(run).read_frame("articles.parquet")
    assert articles.loc[articles["item_id"] == "i3", "answer"].isna().all()


def test_mirrored_answers_are_the_mean_over_both_ways_round(shop: Path, tmp_path: Path) -> None:
    run, runner = str(tmp_path / "run"), CliRunner()
    train_classifier(open_source(str(shop)), run, network=SMALL, training=SHORT, tasks=["shape"])
    photo, turned = str(shop.parent / "photos" / "0-0.png"), str(tmp_path / "turned.png")
    ImageOps.mirror(Image.open(photo)).save(turned)
    plain = predict_photos(run, [photo, turned])[0]["probability"].to_numpy().reshape(2, 2)
    both = predict_photos(run, [photo, turned], mirrored=True)[0]["probability"].to_numpy().reshape(2, 2)
    assert np.abs(plain[0] - plain[1]).max() > 1e-5
    assert np.allclose(both, plain.mean(axis=0), atol=1e-6, rtol=0)
    shared = ["--data", str(shop), "--checkpoint", run, "--device", "cpu"]
    runner.invoke(app, ["classify", "test", *shared, "--mirrored"], catch_exceptions=False)
    photos = RunFolder(run).read_frame("photos.parquet")
    assert np.allclose(photos.loc[photos["item_id"] == "i0", "probability"], both[0], atol=1e-6, rtol=0)


def test_predictions_name_the_photos_that_cannot_be_opened(shop: Path, tmp_path: Path) -> None:
    train_classifier(open_source(str(shop)), str(tmp_path / "run"), network=SMALL, training=SHORT, tasks=["shape"])
    photos = [str(shop.parent / "photos" / "0-0.png"), str(tmp_path / "none.png")]
    answers, quarantine = predict_photos(str(tmp_path / "run"), photos)
    assert answers["label"].tolist() == ["square", "round"]
    assert [bad.address for bad in quarantine] == photos[1:]


def test_truncated_weights_and_missing_runs_are_refused(shop: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_classifier(open_source(str(shop)), str(run), network=SMALL, training=SHORT)
    content = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(content[:-100])
    with pytest.raises(ValueError, match="expected whole weights in"):
        Classifier.load(RunFolder(str(run)))
    with pytest.raises(FileNotFoundError, match=r"expected a run with model\.json"):
        Classifier.load(RunFolder(str(tmp_path / "nothing")))


def test_multi_image_batches_hold_all_photos_of_their_articles() -> None:
    owners = np.array([0, 0, 2, 2, 2, 3])
    names = tuple(map(str, range(6)))
    pictures = Pictures(np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1), owners, names, names)
    batches = list(ArticleBatches(pictures, {"t": np.arange(4)}, np.array([0, 2, 3]), batch_size=2, seed=1))
    seen = {}
    for batch in batches:
        for place, row in enumerate(batch.rows.tolist()):
            seen[row] = batch.pixels[batch.article == place].flatten().tolist()
            assert batch.targets["t"][place] == row
    assert seen == {0: [0, 1], 2: [2, 3, 4], 3: [5]}
    each = ArticleBatches(pictures, {"t": np.arange(4)}, np.array([2, 3]), batch_size=9, each_photo=True)
    single = next(iter(each))
    assert single.targets["t"].tolist() == [2, 2, 2, 3]
    with pytest.raises(ValueError, match="got none for article 1"):
        ArticleBatches(pictures, {}, np.array([0, 1]), batch_size=2)


def test_the_commands_train_test_and_predict(shop: Path, tmp_path: Path) -> None:
    run, runner = str(tmp_path / "run"), CliRunner()
    shared = ["--data", str(shop), "--checkpoint", run, "--device", "cpu"]
    small = ["--size", "24", "--widths", "4,8", "--epochs", "1", "--mirror", "0", "--crop", "1"]
    done = runner.invoke(app, ["classify", "train", *shared, *small], catch_exceptions=False)
    assert "60 articles" in done.output
    done = runner.invoke(app, ["classify", "test", *shared], catch_exceptions=False)
    assert "| colour |" in done.output
    photo = str(shop.parent / "photos" / "0-0.png")
    out = str(tmp_path / "answers.csv")
    done = runner.invoke(app, ["classify", "predict", photo, "--checkpoint", run, "--out", out], catch_exceptions=False)
    assert "shape" in done.output
    assert len(pd.read_csv(out)) == 9


@pytest.mark.parametrize(
    ("bias", "said"),
    [
        ([-3.0, -1.0], "colour red (0.50), facets none above 0.5 (likeliest striped 0.27)"),
        ([-3.0, 1.0], "colour red (0.50), facets striped (0.73)"),
        ([1.0, 3.0], "colour red (0.50), facets striped (0.95) and v-neck (0.73)"),
    ],
)
def test_a_facet_is_told_where_it_is_likelier_than_not(shop: Path, tmp_path: Path, bias: list, said: str) -> None:
    labels = LabelSpace((Task("colour", ("red", "blue")), Task("facets", ("v-neck", "striped"), facets=True)))
    network = ProductNetwork(backbone=SmallCNN(16, widths=(4, 8)), labels=labels)
    for head in network.heads:
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    network.heads[1].bias.data = torch.tensor(bias)
    Classifier(network, SHORT).save(RunFolder(str(tmp_path / "run")))
    photo, out = str(shop.parent / "photos" / "0-0.png"), str(tmp_path / "answers.csv")
    command = ["classify", "predict", photo, "--checkpoint", str(tmp_path / "run"), "--out", out, "--device", "cpu"]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.output.strip() == f"{photo}: {said}"
    assert len(pd.read_csv(out)) == 4, "the table keeps the probability of each"


def test_a_description_with_an_unknown_key_is_refused(shop: Path) -> None:
    shop.write_text(shop.read_text().replace("item_id", "itemid"))
    with pytest.raises(ValueError, match="got 'itemid'"):
        open_source(str(shop))


def test_tables_are_looked_for_in_the_data_folders(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = Path(shutil.copy(shop, tmp_path / "elsewhere.toml"))
    with pytest.raises(FileNotFoundError, match=r"expected 'shop\.jsonl'"):
        open_source(str(moved))
    monkeypatch.setenv("HEMLINE_DATA", os.pathsep.join([str(tmp_path / "none"), str(shop.parent)]))
    assert len(open_source(str(moved)).catalogue) == 60


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('missing = "N/A"', "a list of texts as 'missing' in .*, got 'N/A'"),
        ('facets = "facets"', "a list of texts as 'facets'"),
        ('facets = ["colr"]', r"label columns of \['colour'\] as 'facets' in .*, got 'colr'"),
        ('labels = "colour"', "a list of texts, or a table of texts and lists of texts, as 'labels'"),
        ("labels = 3", "a list of texts, or a table of texts and lists of texts, as 'labels' in .*, got 3"),
        ("images = 3", "a text that is not empty as 'images' in .*, got 3"),
        ('separator = ""', "a text that is not empty as 'separator' in .*, got ''"),
        ('[order]\ncolr = ["red"]', r"label columns of \['colour'\] as 'order' in .*, got 'colr'"),
        ('[order]\ncolour = "red"', "a table of lists of texts as 'order'"),
    ],
)
def test_a_value_of_another_kind_in_a_description_is_refused(shop: Path, line: str, words: str) -> None:
    key = line.split(" = ")[0]
    given = ['table = "shop.jsonl"', 'item_id = "id"', 'images = "photos"', 'labels = ["colour"]']
    shop.write_text("\n".join([*(one for one in given if not one.startswith(key)), line]))
    with pytest.raises(ValueError, match=f"data: expected {words}"):
        open_source(str(shop))


def test_five_steps_are_trained_with_the_usual_rise(shop: Path, tmp_path: Path) -> None:
    training = replace(SHORT, epochs=5, batch_size=64)
    trained = train_classifier(open_source(str(shop)), str(tmp_path / "run"), network=SMALL, training=training)
    assert all(torch.isfinite(value).all() for value in weights(trained).values())
    assert len(RunFolder(str(tmp_path / "run")).read_json("report.json")["history"]) == 5
