"""A backbone that stays as it is: its vectors are computed once, and a small shop is trained enough."""

import re
from contextvars import Context
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.datasets.pictures.photos import Pictures
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.classify import inputs
from hemline.vision.classify.answers import judge
from hemline.vision.classify.classifier import SHIPPED, Classifier, stored_labels
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.inputs import kept_vectors, photo_vectors
from hemline.vision.classify.judging import evaluate_classifier, predict_photos
from hemline.vision.classify.options import TrainConfig
from hemline.vision.classify.training import Training
from hemline.vision.commands.commands import app
from hemline.vision.networks.augmentation import AugmentConfig
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork
from hemline.vision.networks.small_cnn import SmallCNN
from hemline.vision.networks.standardisation import Standardisation
from PIL import Image, ImageDraw
from typer.testing import CliRunner

FROZEN = TrainConfig(epochs=2, frozen=True, batch_size=16, lr=1e-2, device="cpu")
TINY = NetworkConfig(size=24, widths=(4, 8), colours="hsv")


def test_the_backbone_sees_each_photo_and_its_mirror_image_once(shop: Path, tmp_path: Path, monkeypatch) -> None:
    seen, plain = [], SmallCNN.forward
    monkeypatch.setattr(SmallCNN, "forward", lambda self, images: seen.append(len(images)) or plain(self, images))
    before = build_backbone("small-cnn", size=24, widths=(4, 8))
    trained = train_classifier(open_source(str(shop)), str(tmp_path / "run"), network=TINY, training=FROZEN)
    assert sum(seen) == 2 * 60
    torch.manual_seed(FROZEN.seed)
    before = build_backbone("small-cnn", size=24, widths=(4, 8))
    for name, value in before.state_dict().items():
        assert torch.equal(value, trained.network.backbone.state_dict()[name])


def test_a_training_that_was_ended_reads_only_the_photos_that_it_had_not_read(
    shop: Path, tmp_path: Path, monkeypatch
) -> None:
    source, run, seen, plain = open_source(str(shop)), str(tmp_path / "run"), [], SmallCNN.forward
    whole = train_classifier(source, str(tmp_path / "whole"), network=TINY, training=FROZEN)
    monkeypatch.setattr(inputs, "_KEPT_AT_ONCE", 25)

    def look(self: SmallCNN, images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        if sum(seen) == 2 * (25 + 25 + 10):
            raise KeyboardInterrupt
        return plain(self, images)

    monkeypatch.setattr(SmallCNN, "forward", look)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(source, run, network=TINY, training=FROZEN)
    kept = sorted(Path(run, inputs.READ).iterdir())
    assert len(kept) == 2
    seen[:] = [1000]
    trained = train_classifier(source, run, network=TINY, training=FROZEN, resume=True)
    assert sum(seen) == 1000 + 2 * 10
    assert not Path(run, inputs.READ).exists()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, trained.network.state_dict()[name])


def test_stored_vectors_and_whole_photos_give_the_same_answers(shop: Path, tmp_path: Path) -> None:
    source = open_source(str(shop))
    train_classifier(source, str(tmp_path / "run"), network=TINY, training=FROZEN)
    network = Classifier.load(RunFolder(str(tmp_path / "run"))).network
    assert float(network.scale.spread.std()) > 0
    pictures = source.load(24, channels=3)
    vectors = photo_vectors(network, pictures, mirrored=True, device="cpu")
    assert vectors.shape == (60, 2, 8 + 300)
    with torch.no_grad():
        logits = network.judge_vectors(vectors[:, 0], torch.arange(60), 60)
        mirrored = network.judge_vectors(vectors[:, 1], torch.arange(60), 60)
    rows = np.arange(60)
    alone, both = judge(network, pictures, rows), judge(network, pictures, rows, mirrored=True)
    for name in ("colour", "shape"):
        shares, others = logits[name].softmax(1).numpy(), mirrored[name].softmax(1).numpy()
        assert np.allclose(alone[name], shares, atol=1e-6)
        assert np.allclose(both[name], (shares + others) / 2, atol=1e-6)
        assert not np.allclose(shares, others, atol=1e-6)


def test_kept_vectors_are_computed_once_and_give_the_same_run(shop: Path, tmp_path: Path, monkeypatch) -> None:
    source = open_source(str(shop))
    train_classifier(source, str(tmp_path / "run"), network=TINY, training=FROZEN)
    evaluate_classifier(str(tmp_path / "run"), source)
    seen, plain = [], SmallCNN.forward
    monkeypatch.setattr(SmallCNN, "forward", lambda self, images: seen.append(len(images)) or plain(self, images))
    with kept_vectors(str(tmp_path / "vectors")):
        for name in ("kept", "again"):
            train_classifier(source, str(tmp_path / name), network=TINY, training=FROZEN)
            evaluate_classifier(str(tmp_path / name), source)
    assert sum(seen) == 2 * 60
    runs = {name: RunFolder(str(tmp_path / name)) for name in ("run", "kept", "again")}
    for name in ("kept", "again"):
        for file in ("articles.parquet", "photos.parquet"):
            before, after = (runs[each].read_frame(file) for each in ("run", name))
            assert before.select_dtypes("object").equals(after.select_dtypes("object"))
            assert np.allclose(before.select_dtypes("number"), after.select_dtypes("number"), atol=1e-6)
    network, few = Classifier.load(runs["run"]).network, source.load(24, channels=3).first(1)
    with kept_vectors(str(tmp_path / "vectors")):
        before = photo_vectors(network, few, mirrored=True, device="cpu")
        assert torch.allclose(before, photo_vectors_now(network, few), atol=1e-6)
        with torch.no_grad():
            next(network.backbone.parameters()).add_(1.0)
        assert torch.allclose(
            photo_vectors(network, few, mirrored=True, device="cpu"), photo_vectors_now(network, few), atol=1e-6
        ), "vectors of another backbone are others"


def photo_vectors_now(network: ProductNetwork, pictures: Pictures) -> torch.Tensor:
    """In a context of its own, in which none are kept."""
    return Context().run(photo_vectors, network, pictures, mirrored=True, device="cpu")


def test_what_was_trained_on_both_views_is_asked_by_both(shop: Path, tmp_path: Path) -> None:
    source = open_source(str(shop))
    photo = [str(shop.parent / "photos" / "0-0.png")]
    for name, mirror, both in (("both", 0.5, True), ("one", 0.0, False)):
        run = str(tmp_path / name)
        training = replace(FROZEN, augment=AugmentConfig(mirror=mirror))
        assert train_classifier(source, run, network=TINY, training=training).both_views is both
        usual, asked = (predict_photos(run, photo, mirrored=given)[0].probability for given in (None, both))
        assert usual.tolist() == asked.tolist()
        other = predict_photos(run, photo, mirrored=not both)[0].probability
        assert usual.tolist() != other.tolist()
        assert evaluate_classifier(run, source)["test"] == evaluate_classifier(run, source, mirrored=both)["test"]


@pytest.mark.parametrize(("articles", "passes"), [(6, 75), (640, 8), (64_000, 1)])
def test_few_articles_are_passed_as_often_as_makes_enough_steps(articles: int, passes: int) -> None:
    from hemline.datasets.pictures.labels import LabelSpace, Task

    labels = LabelSpace((Task("colour", ("red", "blue")),))
    network = ProductNetwork(backbone=SmallCNN(2, widths=(2,)), labels=labels)
    pixels = np.zeros((articles, 3, 2, 2), np.uint8)
    numbers = np.arange(articles)
    pictures = Pictures(pixels, numbers, ("",) * articles, ("",) * articles, ())
    targets = {"colour": numbers % 2}
    made = Training(network, TrainConfig(batch_size=64), pictures, targets, numbers, numbers[:0])
    assert made.passes == passes
    assert made.epochs * len(made.train_dataloader()) >= 1500
    given = Training(network, TrainConfig(epochs=3, batch_size=64), pictures, targets, numbers, numbers[:0])
    assert (given.epochs, given.passes) == (3, 1)
    first, second = (list(made.train_dataloader()) for _ in range(2)) if articles < 100 else ([], [])
    assert [b.rows.tolist() for b in first] == [b.rows.tolist() for b in second]
    assert not first or len({tuple(b.rows.tolist()) for b in first}) > 10


def test_the_default_learns_a_small_shop_from_pretrained_features(shop: Path, tmp_path: Path) -> None:
    run, runner = str(tmp_path / "run"), CliRunner()
    shared = ["--data", str(shop), "--checkpoint", run]
    small = ["--size", "64", "--epochs", "15", "--task", "shape", "--colours", "shape"]
    runner.invoke(app, ["classify", "train", *shared, *small], catch_exceptions=False)
    network = Classifier.load(RunFolder(run)).network
    assert (network.backbone.name, network.config.colours) == ("efficientnet-lite0", "lab")
    done = runner.invoke(app, ["classify", "test", *shared], catch_exceptions=False)
    row = next(line for line in done.output.split("test\n")[-1].splitlines() if line.startswith("| shape"))
    accuracy, majority = (float(row.split("|")[place]) for place in (3, 5))
    assert accuracy >= 0.85 > majority
    folder = str(shop.parent / "photos")
    done = runner.invoke(
        app, ["classify", "predict", folder, "--checkpoint", run, "--top", "2"], catch_exceptions=False
    )
    lines = done.output.strip().splitlines()
    assert len(lines) == 60
    assert all("square (" in line and "round (" in line for line in lines)
    done = runner.invoke(app, ["embed", "--data", str(shop), "--out", str(tmp_path / "v.parquet")])
    assert "encoder efficientnet-lite0@" in done.output


def test_a_run_without_a_test_side_cannot_be_tested(shop: Path, tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    training = replace(FROZEN, epochs=1)
    train_classifier(open_source(str(shop)), run, network=TINY, training=training, shares=(0.0, 0.0))
    done = CliRunner().invoke(app, ["classify", "test", "--data", str(shop), "--checkpoint", run])
    assert done.exit_code == 1
    assert str(done.exception) == f"data: expected labelled articles on the test side of {run}, got none"


def test_a_folder_named_val_is_watched(tmp_path: Path, shop: Path) -> None:
    photos = sorted((shop.parent / "photos").glob("*.png"))
    for number, photo in enumerate(photos[:12]):
        folder = tmp_path / "set" / ("train", "val", "test")[number % 3] / ("a", "b")[number // 6]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / photo.name).write_bytes(photo.read_bytes())
    sides = [article.side for article in open_source(str(tmp_path / "set")).catalogue.articles]
    assert sorted(set(sides)) == ["test", "train", "validation"]


def test_layers_over_stored_vectors_start_at_zero(shop: Path, tmp_path: Path) -> None:
    training = replace(FROZEN, epochs=1, lr=1e-12, weight_decay=0.0)
    for hidden, zero in ((0, True), (8, False)):
        network = replace(TINY, hidden=hidden)
        trained = train_classifier(
            open_source(str(shop)), str(tmp_path / str(hidden)), network=network, training=training
        )
        largest = max(float(head.weight.detach().abs().max()) for head in trained.network.heads)
        assert (largest < 1e-6) is zero


def test_an_exported_run_is_small_and_answers_as_before(shop: Path, tmp_path: Path) -> None:
    source, photos = open_source(str(shop)), [str(shop.parent / "photos" / f"{number}-0.png") for number in (0, 1)]
    form = NetworkConfig(backbone="efficientnet-lite0", size=32, depths=True, colours="lab", standardise=True)
    run, small = str(tmp_path / "run"), str(tmp_path / "small")
    train_classifier(source, run, network=form, training=replace(FROZEN, epochs=1), tasks=["shape"])
    found = CliRunner().invoke(app, ["classify", "export", "--checkpoint", run, "--out", small], catch_exceptions=False)
    assert found.exit_code == 0
    assert RunFolder(small).files.size(f"{small}/model.safetensors") < 200_000
    wanted, _ = predict_photos(run, photos)
    answered, _ = predict_photos(small, photos)
    assert answered.equals(wanted)
    found = CliRunner().invoke(app, ["classify", "export", "--checkpoint", run, "--out", small])
    assert str(found.exception) == f"out: expected a folder without a run, got one in {small}"
    learnt = Classifier.load(RunFolder(run))
    with torch.no_grad():
        next(learnt.network.backbone.parameters()).add_(1.0)
    with pytest.raises(ValueError, match="expected a backbone that stayed as it was installed, got one that learnt"):
        learnt.save(RunFolder(str(tmp_path / "other")), installed=True)
    assert not (tmp_path / "other").exists()


def test_a_run_whose_weights_no_package_holds_is_not_made_small(shop: Path, tmp_path: Path) -> None:
    run = train_classifier(open_source(str(shop)), str(tmp_path / "run"), network=TINY, training=FROZEN)
    with pytest.raises(ValueError, match=r"expected a backbone of .*, whose weights are a package, got 'small-cnn'"):
        run.save(RunFolder(str(tmp_path / "small")), installed=True)


def test_several_depths_are_asked_of_a_backbone_that_has_them(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="depths: expected a backbone of which several depths are known, got 'small"):
        train_classifier(open_source(str(shop)), str(tmp_path), network=replace(TINY, depths=True), training=FROZEN)


def test_deep_vectors_are_means_and_deviations_over_each_map() -> None:
    backbone = build_backbone("efficientnet-lite0", size=64)
    images = torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        maps, found = backbone.maps(images), backbone.deep_vectors(images)
        folded = backbone.for_inference().deep_vectors(images)
    parts = [
        part
        for depth in backbone.depths
        for part in (maps[depth].mean((2, 3)), maps[depth].flatten(2).std(2, correction=0))
    ]
    torch.testing.assert_close(found, torch.cat(parts, dim=1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(folded, found, rtol=1e-3, atol=1e-3)
    assert found.shape == (5, backbone.deep_features)
    assert backbone.deep_vectors(images[:0]).shape == (0, backbone.deep_features)


def test_left_out_features_are_left_out_in_training_alone() -> None:
    labels = LabelSpace((Task("colour", ("red", "blue")),))
    form = NetworkConfig(size=16, widths=(4, 8), input_dropout=0.5)
    network = ProductNetwork(backbone=SmallCNN(16, widths=(4, 8)), labels=labels, config=form)
    vectors, article = torch.ones(64, 8), torch.arange(64)
    with torch.no_grad():
        drawn = network.train().judge_vectors(vectors, article, 64)["colour"]
        whole = network.eval().judge_vectors(vectors, article, 64)["colour"]
    assert float(whole.std(dim=0).max()) == 0
    assert float(drawn.std(dim=0).min()) > 0


def test_the_run_that_comes_with_the_package_tells_kinds_of_clothes(tmp_path: Path) -> None:
    photo = Image.new("RGB", (200, 240), "white")
    ImageDraw.Draw(photo).rectangle((40, 60, 160, 220), fill=(40, 60, 160))
    photo.save(tmp_path / "shirt.png")
    shown = ["classify", "predict", str(tmp_path / "shirt.png"), "--top", "3"]
    found = CliRunner().invoke(app, shown, catch_exceptions=False)
    assert found.exit_code == 0
    assert re.fullmatch(r".*shirt\.png: class( [a-z-]+ \(\d\.\d\d\),?){3}\n", found.output)
    held = RunFolder(SHIPPED)
    assert len(stored_labels(held).tasks[0].classes) == 10
    assert held.files.size(held.path("model.safetensors")) < 300_000


def test_colours_are_seen_by_the_tasks_that_are_named_alone(shop: Path, tmp_path: Path) -> None:
    labels = LabelSpace((Task("kind", ("a", "b", "c")), Task("colour", ("red", "blue"))))
    form = NetworkConfig(size=64, widths=(4, 8), colours="lab", colour_tasks=("colour",), standardise=True)
    network = ProductNetwork(backbone=SmallCNN(64, widths=(4, 8)), labels=labels, config=form).eval()
    vectors = torch.rand(6, 8 + 776, generator=torch.Generator().manual_seed(0))
    network.scale.fit(vectors)
    other = vectors.clone()
    other[:, 8:] = other[:, 8:].flip(0)
    article = torch.arange(6)
    with torch.no_grad():
        one, two = (network.judge_vectors(each, article, 6) for each in (vectors, other))
    assert torch.equal(one["kind"], two["kind"])
    assert not torch.allclose(one["colour"], two["colour"])
    with pytest.raises(ValueError, match=r"colour_tasks: expected tasks of \['kind', 'colour'\], got 'shape'"):
        ProductNetwork(backbone=network.backbone, labels=labels, config=replace(form, colour_tasks=("shape",)))
    with pytest.raises(ValueError, match="colour_tasks: expected none without colours"):
        replace(form, colours="none")
    with pytest.raises(ValueError, match="colour_tasks: expected none without colours or with a hidden layer"):
        replace(form, hidden=8)
    run, source = str(tmp_path / "run"), open_source(str(shop))
    train_classifier(source, run, network=form, training=replace(FROZEN, epochs=15), tasks=["shape", "colour"])
    assert evaluate_classifier(run, source)["test"]["colour"]["accuracy"] >= 0.9


def test_colours_that_hardly_vary_are_not_blown_up() -> None:
    scale = Standardisation(3, torch.tensor([1e-6, 0.05, 0.05]))
    scale.fit(torch.tensor([[0.0, 0.0, 0.0], [0.002, 0.002, 2.0]]))
    assert scale.spread.tolist() == pytest.approx([0.001, 0.05, 1.0])
    assert "least" not in scale.state_dict()
