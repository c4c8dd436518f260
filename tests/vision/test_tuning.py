"""A captioner whose encoder learns along."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

pytest.importorskip("tokenizers", reason="captions need the extra 'vision'")

from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision.captions import annotate, tuning
from hemline.vision.captions import training as caption_training
from hemline.vision.captions.annotate import annotate_photos, evaluate_annotator, train_annotator
from hemline.vision.captions.annotator import Annotator
from hemline.vision.captions.training import CaptionTrainConfig
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.commands.commands import app
from hemline.vision.networks.product_network import NetworkConfig

ALONE = CaptionTrainConfig(epochs=2, batch_size=16, device="cpu", noise=0.1)
ALONG = replace(ALONE, finetune=12, finetune_lr=5e-3)


@pytest.fixture
def encoder(shop: Path, tmp_path: Path) -> str:
    """A run that knows shapes alone, so that its vectors say little of colours."""
    network = NetworkConfig(size=24, widths=(8, 16), hidden=4)
    training = TrainConfig(epochs=15, lr=1e-2, batch_size=16, device="cpu", augment=None)
    source, run = open_source(str(shop)), str(tmp_path / "encoder")
    train_classifier(source, run, network=network, training=training, tasks=["shape"])
    return run


def weights(annotator: Annotator) -> dict[str, torch.Tensor]:
    assert annotator.tuned is not None
    return {**annotator.captioner.state_dict(), **annotator.tuned.network.state_dict()}


def test_an_encoder_that_learns_along_words_titles_better_and_belongs_to_the_run(
    shop: Path, tmp_path: Path, encoder: str
) -> None:
    source, run, alone = open_source(str(shop)), str(tmp_path / "along"), str(tmp_path / "alone")
    before = RunFolder(encoder).read_tensors("model.safetensors")
    trained = train_annotator(source, run, encoder={"run": encoder}, training=ALONG)
    # As many epochs on the vectors as they were.
    train_annotator(source, alone, encoder={"run": encoder}, training=replace(ALONE, epochs=14))
    assert trained.tuned is not None
    after = trained.tuned.network.state_dict()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert any(name.startswith("backbone.") for name in moved)
    assert not any("running" in name or name.startswith(("heads.", "scale.")) for name in moved)
    assert trained.tuned.name.startswith("small-cnn:shape+titles@")
    report = RunFolder(run).read_json("report.json")
    assert [len(report["history"]), len(report["tuning"])] == [2, 12]
    assert report["tuning"][-1]["loss"] < report["tuning"][0]["loss"]
    along, frozen = (evaluate_annotator(each, source)["model"] for each in (run, alone))
    assert along["cider_d"] > frozen["cider_d"]
    # What reads a photo is what was trained along, and the run that it began with may be gone.
    kept = RunFolder(run).read_tensors("features.safetensors")["vectors"].numpy()
    RunFolder(encoder).write_bytes("model.json", b"{}")
    read = Annotator.load(RunFolder(run))
    assert read.say(kept) == trained.say(kept)
    pictures = source.load(**read.opened_encoder().preprocessing.photos)
    assert np.array_equal(read.opened_encoder().encode(pictures, len(source.catalogue)), kept)
    photo = str(shop.parent / "photos" / "0-0.png")
    assert annotate_photos(run, [photo])[0] == [(photo, trained.say(kept)[0])]


@pytest.mark.parametrize(("where", "step"), [("alone", 5), ("along", 4), ("written", 0)])
def test_a_killed_training_of_both_resumes_and_ends_where_an_unbroken_one_ends(
    shop: Path, tmp_path: Path, encoder: str, monkeypatch: pytest.MonkeyPatch, where: str, step: int
) -> None:
    source, training = open_source(str(shop)), replace(ALONG, finetune=2)
    whole = train_annotator(source, str(tmp_path / "whole"), encoder={"run": encoder}, training=training)
    broken, steps = str(tmp_path / "broken"), iter(range(10_000))
    module = caption_training.CaptionTraining if where == "alone" else tuning.Tuning
    original = module.training_step

    def killed(self, batch, index):
        if next(steps) == step:
            raise RuntimeError("killed")
        return original(self, batch, index)

    with monkeypatch.context() as patch:
        if where == "written":
            patch.setattr(annotate, "finish", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        else:
            patch.setattr(module, "training_step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            train_annotator(source, broken, encoder={"run": encoder}, training=training)
    resumed = train_annotator(source, broken, encoder={"run": encoder}, training=training, resume=True)
    after = weights(resumed)
    assert all(torch.equal(value, after[name]) for name, value in weights(whole).items())
    assert torch.equal(resumed.mean, whole.mean)
    left = {file.name for file in (tmp_path / "broken").iterdir() if file.suffix == ".ckpt"}
    assert left == set()


def test_the_command_says_what_learns_along_and_refuses_passes_of_nothing(
    shop: Path, tmp_path: Path, encoder: str
) -> None:
    words = ["annotate", "train", "--data", str(shop), "--encoder", encoder, "--epochs", "1", "--device", "cpu"]
    runner, run = CliRunner(), tmp_path / "titles"
    with pytest.raises(ValueError, match="tuning_epochs: expected none without --finetune, got 2"):
        runner.invoke(app, [*words, "--checkpoint", str(run), "--tuning-epochs", "2"], catch_exceptions=False)
    assert not run.exists()
    done = runner.invoke(app, [*words, "--checkpoint", str(run), "--finetune"], catch_exceptions=False)
    assert done.exit_code == 0
    assert len(RunFolder(str(run)).read_json("report.json")["tuning"]) == 3
    done = runner.invoke(app, ["annotate", "test", "--data", str(shop), "--checkpoint", str(run)])
    assert "| CIDEr-D |" in done.output


def test_a_stored_encoder_of_another_width_is_refused(shop: Path, tmp_path: Path, encoder: str) -> None:
    run = RunFolder(str(tmp_path / "titles"))
    once = replace(ALONG, epochs=1, finetune=1)
    train_annotator(open_source(str(shop)), run.address, encoder={"run": encoder}, training=once)
    described = run.read_json("captioner.json")
    described["tuned"]["network"]["config"]["hidden"] = 8
    run.write_json("captioner.json", described)
    with pytest.raises(ValueError, match=r"encoder\.safetensors: expected"):
        Annotator.load(run)
