"""Adversarial losses at their optimum, penalties in closed form, and augmentation that gradients pass through."""

from __future__ import annotations

import math

import pytest
import torch
from hemline.vision.generate.adversarial.augment import AdaptiveAugment, DiffAugment, cut_out, mirrored, shifted
from hemline.vision.generate.adversarial.losses import LOSSES
from hemline.vision.generate.adversarial.penalties import (
    PathLength,
    clip_weights,
    drift,
    gradient_penalty,
    squared_gradient,
)
from torch import nn


def densities():
    """Two normal laws on a grid, and the shares of draws there."""
    grid = torch.linspace(-8, 8, 2001, dtype=torch.float64)
    return (torch.exp(-((grid - m) ** 2) / 2) for m in (-1.0, 1.0))


@pytest.mark.parametrize("name", ["original", "non-saturating"])
def test_the_best_critic_is_the_log_ratio_of_densities_and_its_loss_the_jensen_shannon_divergence(name):
    real, generated = (each / each.sum() for each in densities())
    logits = (real / generated).log().requires_grad_(True)

    def loss(values):
        # Draws in the shares of the densities: a weighted mean in the place of the mean.
        softplus = nn.functional.softplus
        return (real * softplus(-values)).sum() + (generated * softplus(values)).sum()

    (gradient,) = torch.autograd.grad(loss(logits), logits)
    assert gradient.abs().max() < 1e-12
    middle = (real + generated) / 2
    divergence = ((real * (real / middle).log()).sum() + (generated * (generated / middle).log()).sum()) / 2
    logits = logits.detach()
    assert float(loss(logits)) == pytest.approx(2 * math.log(2) - 2 * float(divergence), rel=1e-9)
    # The function itself, on draws: each place of a coarse grid as often as its share says.
    counts = [(each * 2_000_000).round().long() for each in (real, generated)]
    drawn = [logits.repeat_interleave(count) for count in counts]
    assert float(LOSSES[name].critic(*drawn)) == pytest.approx(float(loss(logits)), abs=5e-3)


@pytest.mark.parametrize("name", LOSSES)
def test_at_equal_logits_the_critic_is_undecided_and_separating_lowers_its_loss(name):
    loss, zeros = LOSSES[name], torch.zeros(8)
    if loss.undecided is not None:
        assert float(loss.critic(zeros, zeros)) == pytest.approx(loss.undecided)
    assert loss.critic(zeros + 0.5, zeros - 0.5) < loss.critic(zeros, zeros) < loss.critic(zeros - 0.5, zeros + 0.5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_generator_gains_from_logits_that_rise(name):
    generated = torch.full((4,), -1.0, requires_grad=True)
    real = torch.ones(4)
    (gradient,) = torch.autograd.grad(LOSSES[name].generator(real, generated), generated)
    assert (gradient < 0).all()


def test_where_the_critic_is_sure_only_the_original_loss_is_flat():
    steep = {}
    for name in LOSSES:
        generated = torch.full((1,), -20.0, requires_grad=True)
        (gradient,) = torch.autograd.grad(LOSSES[name].generator(torch.full((1,), 20.0), generated), generated)
        steep[name] = float(gradient.abs())
    assert steep["original"] < 1e-6
    assert all(value > 0.9 for name, value in steep.items() if name != "original")


def test_the_hinge_leaves_logits_beyond_one_alone():
    real = torch.tensor([2.0, 0.5], requires_grad=True)
    (gradient,) = torch.autograd.grad(LOSSES["hinge"].critic(real, torch.tensor([-2.0])), real)
    assert gradient.tolist() == [0.0, -0.5]


def linear_critic(weight):
    return lambda images: (images.flatten(1) * weight.flatten()).sum(dim=1)


def test_penalties_of_a_linear_critic_by_hand():
    torch.manual_seed(0)
    weight = torch.randn(2, 3, 3, dtype=torch.float64)
    real, generated = torch.randn(2, 5, 2, 3, 3, dtype=torch.float64)
    norm = float(weight.norm())
    assert float(gradient_penalty(linear_critic(weight), real, generated)) == pytest.approx((norm - 1) ** 2)
    assert float(squared_gradient(linear_critic(weight), real)) == pytest.approx(norm**2)
    assert float(drift(torch.tensor([1.0, -3.0]))) == 5.0


def test_penalties_can_be_differentiated_once_more():
    weight = torch.full((1, 2, 2), 2.0, requires_grad=True)
    images = torch.randn(3, 1, 2, 2)
    (gradient,) = torch.autograd.grad(squared_gradient(linear_critic(weight), images), weight)
    assert torch.allclose(gradient, 2 * weight)


def test_the_penalty_looks_between_real_and_generated():
    seen = []

    def critic(images):
        seen.append(images.detach())
        return images.flatten(1).sum(dim=1)

    real, generated = torch.zeros(50, 1, 2, 2), torch.ones(50, 1, 2, 2)
    gradient_penalty(critic, real, generated)
    (between,) = seen
    assert (between.flatten(1).std(dim=1) < 1e-6).all()  # one share for all pixels of an image
    assert between.min() >= 0
    assert between.max() <= 1
    assert between.std() > 0.2


def test_path_lengths_of_a_linear_generator_by_hand():
    torch.manual_seed(0)
    side, width = 4, 6
    matrix = torch.randn(side * side, width, dtype=torch.float64)
    penalty = PathLength(decay=0.0).double()
    styles = torch.randn(4000, width, dtype=torch.float64, requires_grad=True)
    images = (styles @ matrix.T).unflatten(1, (1, side, side))
    found = penalty(images, styles)
    noise = torch.randn(4000, side * side, dtype=torch.float64) / side
    lengths = (noise @ matrix).square().mean(dim=1).sqrt() * math.sqrt(width) / math.sqrt(width)
    assert float(penalty.mean) == pytest.approx(float((noise @ matrix).square().sum(dim=1).sqrt().mean()), rel=0.03)
    assert float(found) == pytest.approx(float((lengths * math.sqrt(width)).var()), rel=0.15)


def test_weights_are_clipped_in_place():
    network = nn.Linear(3, 3)
    nn.init.constant_(network.weight, 5.0)
    clip_weights(network, 0.01)
    assert float(network.weight.detach().max()) == pytest.approx(0.01)
    assert network.bias.abs().max() <= 0.01


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [DiffAugment, AdaptiveAugment])
def test_changes_keep_the_shape_and_let_gradients_pass(kind, channels):
    torch.manual_seed(0)
    augment = kind(grey=channels == 1)
    if kind is AdaptiveAugment:
        augment.probability.fill_(1.0)
    images = torch.rand(16, channels, 16, 16, requires_grad=True)
    changed = augment(images)
    assert changed.shape == images.shape
    assert not torch.equal(changed, images)
    changed.square().sum().backward()
    assert images.grad.isfinite().all()
    assert (images.grad.flatten(1).abs().sum(dim=1) > 0).all()


def test_adaptive_changes_begin_with_none_and_follow_the_sign_of_logits():
    augment = AdaptiveAugment(images=1000)
    images = torch.rand(8, 3, 8, 8)
    assert torch.equal(augment(images), images)
    for _ in range(5):
        augment.follow(torch.ones(100))
    assert float(augment.probability) == pytest.approx(0.5)
    for _ in range(8):
        augment.follow(torch.cat([torch.ones(50), -torch.ones(50)]))
    assert float(augment.probability) == pytest.approx(0.0, abs=1e-6)
    for _ in range(20):
        augment.follow(torch.ones(100))
    assert float(augment.probability) == 1.0


def test_what_is_shifted_moves_by_whole_pixels_and_what_enters_is_nothing():
    torch.manual_seed(1)
    images = torch.zeros(200, 1, 16, 16)
    images[:, :, 8, 8] = 1
    moved = shifted(images)
    assert (moved.sum(dim=(1, 2, 3)) == 1).all()
    places = moved.flatten(1).argmax(dim=1)
    down, across = places // 16 - 8, places % 16 - 8
    for far in (down, across):
        assert far.min() == -2
        assert far.max() == 2


def test_a_cut_out_is_a_square_of_half_the_side_where_it_lies_inside():
    torch.manual_seed(0)
    gone = (cut_out(torch.ones(300, 1, 16, 16)) == 0).sum(dim=(1, 2, 3))
    assert gone.max() == 64
    assert gone.min() >= 16


def test_mirrors_are_mirrors():
    torch.manual_seed(0)
    ramp = torch.arange(8.0).expand(100, 1, 8, 8)
    both = mirrored(ramp)
    same = (both == ramp).flatten(1).all(dim=1)
    assert (torch.where(same[:, None, None, None], both, both.flip(-1)) == ramp).all()
    assert 30 < int(same.sum()) < 70
