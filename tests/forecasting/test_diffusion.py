"""Diffusion: the sampler against Gaussians, whose noise is known in closed form, and what training learns."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.forecasting import Diffusion, ForecastEstimator, Recurrent, Scaling, TrainConfig
from hemline.forecasting.networks.heads import diffusion
from hemline.forecasting.networks.heads.diffusion import kept_shares, remove_noise

MEAN, STD = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.5])


def exact(kept):
    """The best guess of the noise in values that are normal with `MEAN` and `STD`."""

    def predict(x, level):
        share = kept[level][:, None]
        return (1 - share).sqrt() * (x - share.sqrt() * MEAN) / (share * STD**2 + 1 - share)

    return predict


@pytest.mark.parametrize(("steps", "tolerance"), [(None, 0.03), (100, 0.03), (50, 0.1)])
def test_the_sampler_draws_from_the_density_whose_noise_is_told(steps, tolerance):
    torch.manual_seed(0)
    kept = kept_shares(100, 0.1)
    drawn = remove_noise(exact(kept), torch.randn(50_000, 2), kept, steps)
    torch.testing.assert_close(drawn.mean(0), MEAN, atol=tolerance, rtol=0)
    torch.testing.assert_close(drawn.std(0), STD, atol=tolerance, rtol=0.02)


def two_normals(kept, means, stds):
    """The best guess of the noise in values from a mixture of two normals, which is no linear function of them."""
    mean, std = torch.tensor(means), torch.tensor(stds)

    def predict(x, level):
        share = kept[level][:, None]
        variance = share[..., None] * std**2 + 1 - share[..., None]
        apart = x[..., None] - share[..., None].sqrt() * mean
        odds = torch.softmax(-(apart**2) / 2 / variance - variance.log() / 2, dim=-1)
        return (1 - share).sqrt() * (odds * apart / variance).sum(-1)

    return predict


def test_a_dozen_levels_tell_more_where_little_noise_is_left():
    torch.manual_seed(0)
    kept, noise = kept_shares(100, 0.1), torch.randn(10_000, 1)
    truth = torch.cat([torch.randn(5_000) * 0.1 + 0.8, torch.randn(5_000) * 0.1 + 1.2]).sort().values
    predict = two_normals(kept, (0.8, 1.2), (0.1, 0.1))

    def distance(steps, spacing):
        drawn = remove_noise(predict, noise, kept, steps, spacing=spacing)
        return float((drawn.flatten().sort().values - truth).abs().mean())

    assert distance(12, 2.0) < 0.7 * distance(12, 1.0)


@pytest.mark.parametrize(
    ("levels", "steps", "spacing", "visited"),
    [
        (100, 6, 2.0, [99, 63, 36, 16, 4, 0]),
        (100, 6, 1.0, [99, 79, 59, 40, 20, 0]),
        (5, 12, 2.0, [4, 3, 2, 1, 0]),
        (100, None, 1.0, list(range(99, -1, -1))),
    ],
)
def test_levels_are_visited_once_as_they_are_spaced(levels, steps, spacing, visited):
    asked = []

    def predict(x, level):
        asked.append(int(level[0]))
        return torch.zeros_like(x)

    remove_noise(predict, torch.randn(3, 2), kept_shares(levels, 0.1), steps, spacing=spacing)
    assert asked == visited


def test_a_head_draws_with_its_spacing(monkeypatch):
    asked = []
    monkeypatch.setattr(diffusion, "remove_noise", lambda told, noise, *rest: (asked.append(rest[1::2]), noise)[1])
    Diffusion(layers=1, sampling_steps=7, spacing=2.0).build(2, 3).sample(torch.zeros(4, 3), torch.ones(4, 2))
    assert asked == [(7, 2.0)]


@pytest.mark.parametrize(("steps", "visited"), [(None, 10), (10, 10), (4, 4), (1, 1)])
def test_the_network_is_asked_once_a_step(steps, visited):
    levels = []

    def predict(x, level):
        levels.append(int(level[0]))
        return torch.zeros_like(x)

    remove_noise(predict, torch.randn(3, 2), kept_shares(10, 0.1), steps)
    assert len(levels) == visited
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == 9


def test_all_noise_levels_are_trained():
    torch.manual_seed(0)
    head = Diffusion(steps=5, layers=2).build(series=2, context_size=3)
    seen, network = [], head.network.forward

    def spy(noisy, level, context):
        seen.append(level)
        return network(noisy, level, context)

    head.network.forward = spy
    head.loss(torch.zeros(50, 4, 3), torch.zeros(50, 4, 2), torch.ones(50, 2))
    assert torch.cat(seen).unique().tolist() == [0, 1, 2, 3, 4]


def test_large_batches_are_told_part_by_part_to_the_same_gradients(monkeypatch):
    torch.manual_seed(0)
    head = Diffusion(layers=2).build(series=3, context_size=4).double()
    context, target = torch.randn(5, 4, 4).double().requires_grad_(), torch.randn(5, 4, 3).double()
    sizes, network = [], head.network.forward
    monkeypatch.setattr(head.network, "forward", lambda *parts: sizes.append(len(parts[0])) or network(*parts))

    def gradients():
        torch.manual_seed(1)
        loss = head.loss(context, target, torch.ones(5, 3).double())
        return [loss, *torch.autograd.grad(loss.sum(), [context, *head.parameters()])]

    whole = gradients()
    assert sizes == [20]
    monkeypatch.setattr("hemline.forecasting.networks.heads.diffusion.AT_ONCE", 3 * 8)
    in_parts = gradients()
    assert sorted(sizes[1:]) == [4, 4, 8, 8, 8, 8], "each part once, and once more for its gradient"
    torch.testing.assert_close(in_parts, whole)


def test_errors_under_a_mask_do_not_count():
    head = Diffusion(steps=5, layers=2).build(series=2, context_size=3)
    observed = torch.ones(6, 1, 2)
    observed[..., 1] = 0
    losses = []
    for value in (0.0, 9.0):
        torch.manual_seed(0)
        target = torch.stack([torch.ones(6, 1), torch.full((6, 1), value)], dim=-1)
        losses.append(head.loss(torch.zeros(6, 1, 3), target, torch.ones(6, 2), observed))
    torch.testing.assert_close(*losses)


def test_a_joint_density_is_learnt():
    """Two series, independent in time and correlated by 0.9, of different means."""
    generator = np.random.default_rng(0)
    noise = generator.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=400).T
    data = [{"start": pd.Period("2024-01-01", "D"), "target": np.add(noise, [[3], [-3]]).astype(np.float32)}]
    estimator = ForecastEstimator(
        "D",
        5,
        lags=(1,),
        scaling=Scaling(),
        encoder=Recurrent(size=8, layers=1),
        head=Diffusion(steps=30, layers=4, largest_variance=0.3),
        train=TrainConfig(max_epochs=6, batches_per_epoch=40, batch_size=32, learning_rate=5e-3),
    )
    samples = next(estimator.train(data).predict(data, num_samples=1000)).samples.reshape(-1, 2)
    assert samples.mean(0) == pytest.approx([3, -3], abs=0.4)
    assert samples.std(0) == pytest.approx([1, 1], abs=0.35)
    assert np.corrcoef(samples.T)[0, 1] > 0.6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps: expected a whole number from 1, got 0"),
        ({"sampling_steps": 0}, "sampling_steps: expected a whole number from 1 or none, got 0"),
        ({"spacing": 0.0}, "spacing: expected a number above 0, got 0"),
        ({"largest_variance": 1.0}, "largest_variance: expected a number from 0.0001 and below 1, got 1.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Diffusion(**settings)
