"""The user's loggers hold the curves of a classifier and of a captioner."""

import pytest
import torch
from curves import KINDS, a_logger
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.vision import train_classifier
from hemline.vision.captions.captioner import Captioner, CaptionerConfig
from hemline.vision.captions.training import CaptionTrainConfig, fit_captioner
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig


@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier_tells_its_loss_its_right_answers_and_its_rate(shop, tmp_path, monkeypatch, kind):
    logger, curves = a_logger(kind, tmp_path / "curves", monkeypatch)
    run = str(tmp_path / "run")
    training = TrainConfig(epochs=2, batch_size=16, device="cpu", augment=None)
    network = NetworkConfig(size=24, widths=(8, 16), hidden=16)
    train_classifier(open_source(str(shop)), run, network=network, training=training, logger=logger)
    history, told = RunFolder(run).read_json("report.json")["history"], curves()
    tasks = history[0]["validation"]
    assert set(told) == {"epoch", "train_loss", "learning_rate", *(f"validation_accuracy/{name}" for name in tasks)}
    assert [value for _, value in told["train_loss"]] == pytest.approx([row["loss"] for row in history], rel=1e-6)
    for task in tasks:
        shares = [value for _, value in told[f"validation_accuracy/{task}"]]
        assert shares == pytest.approx([row["validation"][task] for row in history], rel=1e-6)


def test_a_captioner_tells_its_loss_and_its_rate(tmp_path, monkeypatch):
    logger, curves = a_logger("csv", tmp_path, monkeypatch)
    captioner = Captioner(CaptionerConfig(features=3, vocabulary=6))
    config = CaptionTrainConfig(epochs=2, device="cpu")
    history = fit_captioner(captioner, config, torch.zeros(4, 3), [[4, 5, 2]] * 4, logger=logger)
    assert [value for _, value in curves()["train_loss"]] == pytest.approx([row["loss"] for row in history])
    assert len(curves()["learning_rate"]) == 2
