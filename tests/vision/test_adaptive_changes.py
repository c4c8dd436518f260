"""The changes of adaptive augmentation: none by no chance, and each what it is called by chance one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hemline.vision.generate.adversarial import changes
from hemline.vision.generate.adversarial.augment import AdaptiveAugment
from hemline.vision.generate.adversarial.changes import equalised, noisy, octaves, quarter_turned, toned, warped

BY_CHANCE = (warped, toned, equalised, noisy)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("change", BY_CHANCE)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_change_without_a_chance_is_none_and_a_chance_is_that_of_each_image(change, channels):
    images = torch.rand(400, channels, 8, 8) * 2 - 1
    assert torch.equal(change(images, 0.0), images)
    assert torch.equal(change(images, torch.tensor(0.0)), images)
    same = (change(images, 0.05) == images).flatten(1).all(dim=1).float().mean()
    assert 0.5 < same < 0.98
    left = (change(images, 1.0) == images).flatten(1).all(dim=1).float().mean()
    assert left < 0.05


@pytest.mark.parametrize("change", BY_CHANCE)
@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_numbers_keep_their_kind_and_gradients_pass(change, kind):
    images = torch.rand(6, 3, 8, 8, dtype=kind, requires_grad=True)
    changed = change(images, 1.0)
    assert changed.dtype == kind
    changed.sum().backward()
    assert images.grad.isfinite().all()
    assert (images.grad.flatten(1).abs().sum(dim=1) > 0).all()


def test_quarter_turns_are_the_four_turns_evenly():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    turned = quarter_turned(image.expand(400, -1, -1, -1))
    counts = [int((turned == torch.rot90(image, turns, (2, 3))).flatten(1).all(dim=1).sum()) for turns in range(4)]
    assert sum(counts) == 400
    assert min(counts) > 60


def test_a_turn_keeps_the_middle_and_the_distance_to_it(monkeypatch):
    # Two turns alone: what lies 5 pixels from the middle stays there.
    for name in ("_SCALE", "_STRETCH", "_FAR"):
        monkeypatch.setattr(changes, name, 0.0)
    images = torch.zeros(60, 1, 21, 21)
    images[:, :, 10, 15] = 1
    moved = warped(images, 1.0)
    down, across = (each.to(torch.float32) - 10 for each in torch.meshgrid(*[torch.arange(21)] * 2, indexing="ij"))
    mass = moved.sum(dim=(1, 2, 3))
    far = torch.stack([(moved[:, 0] * each).sum(dim=(1, 2)) / mass for each in (down, across)]).norm(dim=0)
    np.testing.assert_allclose(far, 5, atol=0.3)
    angles = torch.atan2((moved[:, 0] * down).sum(dim=(1, 2)), (moved[:, 0] * across).sum(dim=(1, 2)))
    assert angles.std() > 1


def test_scales_are_as_many_smaller_as_larger_and_images_move(monkeypatch):
    monkeypatch.setattr(changes, "_turn", lambda angles: torch.eye(2).expand(len(angles), 2, 2))
    images = torch.zeros(800, 1, 32, 32)
    images[:, :, 12:20, 12:20] = 1
    found = warped(images, 1.0)
    # An area grows by the square of the scale, whose binary logarithm has the spread 0.2.
    areas = torch.log2(found.sum(dim=(1, 2, 3)) / 64) / 2
    assert float(areas.mean()) == pytest.approx(0, abs=0.05)
    assert float(areas.std()) == pytest.approx(0.2, abs=0.05)


def test_tones_of_grey_and_of_colours(monkeypatch):
    images = torch.rand(300, 3, 6, 6) * 2 - 1
    for name in ("_BRIGHTNESS", "_CONTRAST", "_SATURATION"):
        monkeypatch.setattr(changes, name, 0.0)
    hued = toned(images, 1.0)
    light, before = hued.mean(dim=1), images.mean(dim=1)
    kept = torch.isclose(light, before, atol=1e-5).flatten(1).all(dim=1)
    flipped = torch.isclose(light, -before, atol=1e-5).flatten(1).all(dim=1)
    assert (kept | flipped).all()
    assert 100 < int(flipped.sum()) < 200
    # A turn of hue keeps how far a pixel is from grey.
    apart = [(each - each.mean(dim=1, keepdim=True)).norm(dim=1) for each in (hued, images)]
    torch.testing.assert_close(*apart, atol=1e-4, rtol=1e-4)
    assert (hued - images)[kept].abs().max() > 0.5
    grey = torch.rand(50, 1, 6, 6)
    assert (torch.isclose(toned(grey, 1.0).abs(), grey, atol=1e-5)).all()


def test_a_hue_turn_of_a_third_takes_red_to_green_and_green_to_blue():
    turn = changes._hue_turn(torch.tensor([2 * math.pi / 3]))[0]
    torch.testing.assert_close(turn, torch.eye(3)[[2, 0, 1]], atol=1e-6, rtol=0)


def test_bands_sum_to_the_image_and_are_bands():
    images = torch.rand(3, 3, 32, 32, dtype=torch.float64)
    bands = octaves(images)
    assert len(bands) == 4
    torch.testing.assert_close(torch.stack(bands).sum(dim=0), images, atol=1e-12, rtol=0)
    place = torch.arange(32, dtype=torch.float64)
    powers = []
    for wave in (1 / 32, 1 / 2):
        ripple = torch.cos(2 * math.pi * wave * place).expand(1, 1, 32, 32)
        powers.append([float(band.square().mean()) for band in octaves(ripple)])
    assert np.argmax(powers[0]) == 0
    assert np.argmax(powers[1]) == 3
    assert len(octaves(images[:, :, :4, :4])) == 3


def test_a_gain_of_one_band_keeps_the_power_that_images_have_on_average(monkeypatch):
    # Each band is a pixel of its own with the band's share of the power; only the second band is met.
    bands = [torch.zeros(500, 1, 2, 2) for _ in range(4)]
    for number, band in enumerate(bands):
        band.flatten(1)[:, number] = math.sqrt(changes._POWER[number])
    calls = []

    def happens(images, chance):
        calls.append(1)
        return torch.full((len(images),), float(len(calls) == 2))

    monkeypatch.setattr(changes, "octaves", lambda images: bands)
    monkeypatch.setattr(changes, "_happens", happens)
    shown = equalised(torch.zeros(500, 1, 2, 2), 1.0).flatten(1)
    torch.testing.assert_close(shown.square().sum(dim=1), torch.ones(500))
    gains = torch.log2(shown[:, 1] / shown[:, 2])  # the gain that was drawn, whose logarithm has the spread 1
    assert float(gains.std()) == pytest.approx(1, abs=0.1)


def test_all_changes_happen_at_once():
    augment = AdaptiveAugment()
    augment.probability.fill_(1.0)
    images = torch.rand(4, 3, 28, 28) * 2 - 1
    changed = augment(images)
    assert changed.shape == images.shape
    assert changed.isfinite().all()
    assert (changed != images).flatten(1).any(dim=1).all()
