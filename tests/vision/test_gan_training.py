"""Adversarial training: goes on where it was killed, stops at NaN, and says when it goes wrong."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from hemline.datasets.pictures.source import open_source
from hemline.runtime.run_folder import RunFolder
from hemline.runtime.training.checkpoints import Checkpoints
from hemline.runtime.training.run import run_training
from hemline.vision.generate.adversarial.averaging import follow
from hemline.vision.generate.adversarial.training import AdversarialConfig, AdversarialTraining, Batches
from hemline.vision.generate.adversarial.watch import Watch
from hemline.vision.generate.generate import train_generator
from hemline.vision.generate.networks.network import ImageSpec
from hemline.vision.generate.recipes import RECIPES, Recipe, widened
from hemline.vision.generate.trained import TrainedGenerator
from torch import nn


def recipe(name: str = "small", **options: object) -> Recipe:
    chosen = widened(RECIPES[name], 4)
    short = replace(chosen.training, steps=6, log_steps=2, batch_size=8, precision="32-true", device="cpu")
    return replace(chosen, training=replace(short, **options))


class Killed(RuntimeError):
    pass


@pytest.mark.parametrize("name", ["sn-gan", "stylegan2", "relativistic"])
def test_a_killed_training_goes_on_to_the_same_losses_and_the_same_sheet(name, shop, tmp_path, monkeypatch):
    chosen, source = recipe(name, augment="ada"), open_source(str(shop))
    train_generator(source, str(tmp_path / "whole"), recipe=chosen, size=24, task="colour")
    step = AdversarialTraining.training_step
    calls = []

    def killed(self, batch, index):
        calls.append(index)
        if len(calls) == 4:  # in the middle of the second epoch
            raise Killed
        step(self, batch, index)

    monkeypatch.setattr(AdversarialTraining, "training_step", killed)
    with pytest.raises(Killed):
        train_generator(source, str(tmp_path / "broken"), recipe=chosen, size=24, task="colour")
    monkeypatch.setattr(AdversarialTraining, "training_step", step)
    assert not RunFolder(str(tmp_path / "broken")).has("generator.json")
    train_generator(source, str(tmp_path / "broken"), recipe=chosen, size=24, task="colour", resume=True)
    whole, broken = (RunFolder(str(tmp_path / each)) for each in ("whole", "broken"))
    histories = [
        [
            {name: value for name, value in row.items() if name != "seconds"}
            for row in each.read_json("report.json")["history"]
        ]
        for each in (whole, broken)
    ]
    assert histories[0] == histories[1]
    assert len(histories[0]) == 3
    assert whole.read_bytes("samples.png") == broken.read_bytes("samples.png")
    assert whole.read_bytes("generator.safetensors") == broken.read_bytes("generator.safetensors")
    assert not broken.has("last.ckpt")


def test_learning_rates_fall_to_nothing_over_the_last_steps(shop, tmp_path, monkeypatch):
    seen, step = [], AdversarialTraining.training_step

    def noted(self, batch, index):
        step(self, batch, index)
        seen.append([each.param_groups[0]["lr"] for each in self.optimizers()])

    monkeypatch.setattr(AdversarialTraining, "training_step", noted)
    chosen = recipe(lr=1e-3, critic_lr=2e-3, decay=0.5)
    train_generator(open_source(str(shop)), str(tmp_path / "run"), recipe=chosen, size=24)
    assert np.allclose(seen, np.outer([1, 1, 1, 1, 2 / 3, 1 / 3], [1e-3, 2e-3]))


def test_nan_stops_a_training_and_the_state_of_before_is_kept(shop, tmp_path, monkeypatch):
    chosen, source = recipe(), open_source(str(shop))
    step = AdversarialTraining.training_step

    def spoilt(self, batch, index):
        if self.current_epoch == 1 and index == 1:
            images = batch[0].float()
            images[0] = float("nan")
            batch = (images, batch[1])
        step(self, batch, index)

    monkeypatch.setattr(AdversarialTraining, "training_step", spoilt)
    folder = RunFolder(str(tmp_path / "run"))
    with pytest.raises(FloatingPointError, match="critic_loss is nan in epoch 2"):
        train_generator(source, folder.address, recipe=chosen, size=24, task="colour")
    monkeypatch.setattr(AdversarialTraining, "training_step", step)
    kept = torch.load(folder.path("last.ckpt"), weights_only=True)
    assert all(value.isfinite().all() for value in kept["state_dict"].values())
    trained = train_generator(source, folder.address, recipe=chosen, size=24, task="colour", resume=True)
    assert all(value.isfinite().all() for value in trained.network.state_dict().values())
    assert len(folder.read_json("report.json")["history"]) == 3


def training(config: AdversarialConfig, images: torch.Tensor) -> AdversarialTraining:
    torch.manual_seed(0)
    spec = ImageSpec(images.shape[-1], images.shape[1])
    chosen = widened(RECIPES["dcgan"], 8)
    return AdversarialTraining(chosen.generator.build(spec), chosen.critic.build(spec), config, images, None)


def test_rates_a_hundred_times_too_large_are_warned_of_and_usual_ones_are_not(caplog):
    rng = np.random.default_rng(0)
    blobs = rng.integers(0, 255, (200, 1, 4, 4)).repeat(4, axis=2).repeat(4, axis=3).astype(np.uint8)
    chosen, spec, said = widened(RECIPES["small"], 4), ImageSpec(16, 1), {}
    for times in (1, 100):
        usual = chosen.training
        config = replace(usual, steps=80, log_steps=10, batch_size=16, lr=times * usual.lr, precision="32-true")
        config = replace(config, critic_lr=times * usual.critic_lr, device="cpu")
        torch.manual_seed(0)
        networks = chosen.generator.build(spec), chosen.critic.build(spec)
        module = AdversarialTraining(*networks, config, torch.from_numpy(blobs), None)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            run_training(module, Checkpoints(None), options={"reload_dataloaders_every_n_epochs": 1})
        said[times] = [record.message for record in caplog.records]
    assert not said[1]
    assert "the critic only guesses" in said[100][0]


def test_images_that_become_all_alike_are_warned_of_once_and_those_of_an_untrained_network_are_not(caplog):
    torch.manual_seed(0)
    photos, one = torch.rand(30, 1, 8, 8), torch.rand(1, 1, 8, 8).expand(30, -1, -1, -1)
    with caplog.at_level(logging.WARNING):
        untrained = Watch(undecided=2.0, epochs=10)
        assert untrained.told(0, photos, one, 1.0) == {"spread": 0.0}
        assert not caplog.records
        collapsing = Watch(undecided=2.0, epochs=10)
        for epoch, images in enumerate((photos, one, one)):
            collapsing.told(epoch, photos, images, 1.0)
        assert [record.message.partition(" (")[0] for record in caplog.records] == [
            "epoch 2: generated images are nearly all alike"
        ]
        caplog.clear()
        for epoch in range(10):
            untrained.told(epoch, photos, one, 1.0)
        assert [record.message.partition(" (")[0] for record in caplog.records] == [
            "epoch 10: generated images are nearly all alike"
        ]


def test_a_critic_that_wins_outright_is_warned_of_once_and_only_where_its_loss_has_a_bound(caplog):
    rng = np.random.default_rng(0)
    real, made = torch.from_numpy(rng.normal(size=(2, 20, 1, 8, 8))).float()
    watch = Watch(undecided=2.0, epochs=10)
    with caplog.at_level(logging.WARNING):
        for epoch, loss in enumerate((1.9, 0.5, 0.03, 0.02)):
            watch.told(epoch, real, made, loss)
    assert [record.message.partition(";")[0] for record in caplog.records] == [
        "epoch 3: the critic wins outright (loss 0.0300), and what the generator learns from it is little"
    ]
    caplog.clear()
    Watch(undecided=None, epochs=10).told(0, real, made, -50.0)
    assert not caplog.records


def test_the_running_mean_is_that_of_the_weights_and_counts_are_taken_as_they_are():
    images = torch.randint(0, 255, (40, 1, 16, 16), dtype=torch.uint8)
    module = training(AdversarialConfig(average=0.75), images)
    before = {name: value.clone() for name, value in module.average.state_dict().items()}
    with torch.no_grad():
        for parameter in module.generator.parameters():
            parameter.add_(1.0)
    module.generator.normalise.num_batches_tracked.fill_(7)
    follow(module.average, module.generator, module.config.average, 1000)
    after = module.average.state_dict()
    for name, _ in module.average.named_parameters():
        torch.testing.assert_close(after[name], before[name] + 0.25)
    assert int(after["normalise.num_batches_tracked"]) == 7


def test_batches_give_every_image_once_before_one_twice():
    images = torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1, 1)
    drawn = torch.cat([batch[0].flatten() for batch in Batches(images, None, 5, 4, seed=3)])
    assert sorted(drawn[:10].tolist()) == sorted(drawn[10:].tolist()) == list(range(10))
    again = torch.cat([batch[0].flatten() for batch in Batches(images, None, 5, 4, seed=3)])
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn[:10], drawn[10:])


def test_r1_weighs_half_its_gamma():
    images = torch.randint(0, 255, (40, 1, 16, 16), dtype=torch.uint8)

    class MeanBrightness(nn.Module):
        def forward(self, batch, labels=None):
            return batch.flatten(1).mean(dim=1)

    module = training(AdversarialConfig(r1=6.0), images)
    module.critic = MeanBrightness()
    real = torch.rand(4, 1, 16, 16)
    # The squared gradient of a mean over 256 pixels is 1/256.
    assert float(module._penalties(real, real, None).detach()) == pytest.approx(3 / 256)


def test_a_path_length_is_refused_for_a_generator_without_styles():
    with pytest.raises(ValueError, match="path_length: expected 0 for a generator without styles, got 2"):
        training(AdversarialConfig(path_length=2.0), torch.zeros(4, 1, 16, 16, dtype=torch.uint8))


def test_articles_without_a_label_are_left_out_and_classes_stand_in_their_order(shop, tmp_path):
    trained = train_generator(open_source(str(shop)), str(tmp_path / "run"), recipe=recipe(), size=24, task="colour")
    assert trained.network.spec.classes == ("blue", "green", "red")
    assert sum(trained.shares) == pytest.approx(1)
    read = TrainedGenerator.load(RunFolder(str(tmp_path / "run")))
    for each in (trained, read):
        images, labels = each.sample(12, seed=5)
        assert images.shape == (12, 3, 24, 24)
        assert images.dtype == np.uint8
        assert set(labels) <= {0, 1, 2}
    # Where the weights lie in memory decides how a processor adds up, and so the last digit before rounding.
    apart = np.abs(trained.sample(12, seed=5)[0].astype(int) - read.sample(12, seed=5)[0])
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3
    assert set(read.sample(9, label="red")[1]) == {2}
    np.testing.assert_array_equal(read.sample(9, truncation=1.0)[0], read.sample(9, truncation=1.0)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "price"}, "task: expected a label column of"),
        ({"task": "facets"}, "task: expected a column of one label for each article, got 'facets'"),
        ({"size": 30}, "size: expected 4, 5, 6 or 7, doubled some times, such as 28 or 32, got 30"),
        ({"channels": 2}, "channels: expected 1 or 3, got 2"),
        ({"resume": True}, "resume: expected a run that was begun"),
    ],
)
def test_what_cannot_be_is_refused_before_a_folder_is_begun(options, message, shop, tmp_path):
    with pytest.raises(ValueError, match=message):
        train_generator(open_source(str(shop)), str(tmp_path / "run"), recipe=recipe(), **{"size": 24, **options})
    assert not (tmp_path / "run" / "begun.json").exists()


def test_one_class_alone_is_refused(shop, tmp_path):
    folder = tmp_path / "photos" / "train" / "dress"
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f"{number}.png").write_bytes((shop.parent / "photos" / f"{number}-0.png").read_bytes())
    with pytest.raises(ValueError, match="classes: expected two or more, or none, got 'dress' alone"):
        train_generator(
            open_source(str(tmp_path / "photos")), str(tmp_path / "run"), recipe=recipe(), size=24, task="class"
        )
