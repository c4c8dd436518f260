"""Gaussian heads against dense normal distributions."""

import pytest
import torch
from hemline.forecasting import Gaussian, GaussianProcess, LowRankGaussian, StudentT
from hemline.forecasting.networks.heads.gaussian import low_rank_normal
from torch.distributions import MultivariateNormal


@pytest.fixture
def density(float64):
    torch.manual_seed(0)
    return low_rank_normal(torch.randn(4, 6, 2 + 3), minimum_scale=1e-3)


def dense(density):
    factor = density.factor
    return MultivariateNormal(density.loc, factor @ factor.mT + torch.diag_embed(density.own.square()))


def test_the_density_is_that_of_the_dense_covariance(density):
    values = torch.randn(9, 4, 6)
    torch.testing.assert_close(density.log_prob(values), dense(density).log_prob(values))


def test_samples_have_the_covariance_of_the_density(density):
    samples = density.sample((200_000,))[:, 0]
    torch.testing.assert_close(samples.T.cov(), dense(density).covariance_matrix[0], atol=0.05, rtol=0.05)


def test_the_gradient_is_that_of_the_dense_covariance(float64):
    torch.manual_seed(0)
    parameters, values, found = torch.randn(4, 6, 2 + 3), torch.randn(4, 6), []
    for law in (lambda density: density, dense):
        given, at = parameters.clone().requires_grad_(), values.clone().requires_grad_()
        law(low_rank_normal(given, minimum_scale=1e-3)).log_prob(at).sum().backward()
        found.append((given.grad, at.grad))
    torch.testing.assert_close(found[0], found[1])


def test_single_precision_is_enough_for_many_series_that_move_together():
    """As a difference of two large sums the distance is off by a few nats here."""
    torch.manual_seed(0)
    parameters = torch.randn(8, 963, 2 + 10)
    parameters[..., 1] = -20.0
    density = low_rank_normal(parameters, minimum_scale=1e-2)
    values = density.sample()
    exact = low_rank_normal(parameters.double(), minimum_scale=1e-2).log_prob(values.double())
    torch.testing.assert_close(density.log_prob(values), exact.float(), atol=0.01, rtol=0)


@pytest.mark.parametrize("seen", [[0, 2, 5], [1], [0, 1, 2, 3, 4, 5], []])
def test_missing_series_are_integrated_out_exactly(density, seen):
    values, observed = torch.randn(4, 6), torch.zeros(4, 6)
    observed[:, seen] = 1
    values[observed == 0] = 1e3
    found = density.log_prob(values, observed)
    if not seen:
        torch.testing.assert_close(found, torch.zeros(4))
        return
    whole = dense(density)
    part = MultivariateNormal(whole.loc[:, seen], whole.covariance_matrix[:, seen][:, :, seen])
    torch.testing.assert_close(found, part.log_prob(values[:, seen]))


@pytest.mark.parametrize("config", [Gaussian(), LowRankGaussian(rank=2)])
def test_the_loss_of_seen_series_is_their_density_counted_for_all(config, float64):
    """With half of the series seen, the loss is twice the negative log-density of that half."""
    torch.manual_seed(0)
    head = config.build(series=4, context_size=5)
    context, target, scale = torch.randn(2, 3, 5), torch.randn(2, 3, 4), torch.rand(2, 4) + 0.5
    observed = torch.zeros(2, 3, 4)
    observed[..., :2] = 1
    other = torch.where(observed > 0, target, torch.full_like(target, 77.0))
    losses = head.loss(context, target, scale, observed)
    torch.testing.assert_close(head.loss(context, other, scale, observed), losses)
    density, scaled = head.distribution(context), target / scale[:, None]
    if config == Gaussian():
        log_prob = density.log_prob(scaled)[..., :2].sum(-1)
    else:
        whole = dense(density)
        part = MultivariateNormal(whole.loc[..., :2], whole.covariance_matrix[..., :2, :2])
        log_prob = part.log_prob(scaled[..., :2])
    expected = 2 * (scale[:, None, :2].log().sum(-1) - log_prob)
    torch.testing.assert_close(losses, expected)


@pytest.mark.parametrize("config", [LowRankGaussian, GaussianProcess])
def test_a_rank_below_one_is_refused(config):
    with pytest.raises(ValueError, match="rank: expected a whole number from 1, got 0"):
        config(rank=0)


@pytest.mark.parametrize("config", [Gaussian, LowRankGaussian, GaussianProcess, StudentT])
@pytest.mark.parametrize("minimum", [0.0, -1.0, float("nan")])
def test_a_smallest_scale_of_zero_is_refused(config, minimum):
    with pytest.raises(ValueError, match=f"minimum_scale: expected a number above 0, got {minimum}"):
        config(minimum_scale=minimum)


def test_gradients_are_those_of_the_dense_density(float64):
    torch.manual_seed(0)
    parameters = torch.randn(4, 6, 2 + 3, requires_grad=True)
    values, losses = torch.randn(4, 6), []
    for of in (lambda density: density, dense):
        loss = of(low_rank_normal(parameters, minimum_scale=1e-3)).log_prob(values).sum()
        losses.append(torch.autograd.grad(loss, parameters)[0])
    torch.testing.assert_close(losses[0], losses[1])
