"""Heads of counts: against scipy, under masks, with many zeros, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.forecasting import ForecastEstimator, NegativeBinomial, Recurrent, Scaling, TrainConfig
from hemline.forecasting.response.response import LogLinear
from scipy.stats import nbinom

SHORT = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)
COUNTS = torch.tensor([0.0, 1.0, 3.0, 40.0])


def entry(target):
    return [{"start": pd.Period("2024-01-01", "D"), "target": np.asarray(target, dtype=np.float32)}]


@pytest.fixture(params=[False, True], ids=["plain", "zero-inflated"])
def head(request):
    torch.manual_seed(0)
    return NegativeBinomial(zero_inflated=request.param).build(series=4, context_size=3)


def law(head, context, scale):
    mean, dispersion, zero = head._law(context, scale)
    count = (1 / dispersion).detach().numpy()
    chance = 0.0 if zero is None else zero.sigmoid().detach().numpy()
    return nbinom(count, count / (count + mean.detach().numpy())), chance


def test_the_loss_is_scipys(head):
    context, scale = torch.randn(1, 1, 3), torch.full((1, 4), 7.0)
    density, chance = law(head, context[0, 0], scale[0])
    expected = (1 - chance) * density.pmf(COUNTS.numpy()) + chance * (COUNTS.numpy() == 0)
    loss = head.loss(context, COUNTS.view(1, 1, 4), scale).detach()
    assert float(loss) == pytest.approx(-np.log(expected).sum(), rel=1e-4)


def test_single_precision_is_enough_for_counts_of_millions(head):
    context, scale = torch.randn(1, 1, 3), torch.full((1, 4), 1e7)
    density, chance = law(head, context[0, 0], scale[0])
    counts = torch.tensor([4e6, 9e6, 1.1e7, 2e7])
    expected = np.log1p(-np.float64(chance)) + density.logpmf(counts.double().numpy())
    loss = head.loss(context, counts.view(1, 1, 4), scale).detach()
    assert float(loss) == pytest.approx(-expected.sum(), abs=0.01)


def test_draws_have_the_mean_and_the_zeros_of_the_law(head):
    context, scale = torch.randn(1, 3).expand(20_000, 3), torch.full((20_000, 4), 5.0)
    drawn = head.sample(context, scale).numpy()
    density, chance = law(head, context[0], scale[0])
    np.testing.assert_allclose(drawn.mean(0), (1 - chance) * density.mean(), rtol=0.1)
    np.testing.assert_allclose((drawn == 0).mean(0), chance + (1 - chance) * density.pmf(0), atol=0.02)
    np.testing.assert_array_equal(drawn, drawn.round())


def test_values_under_a_mask_never_reach_the_loss(head):
    context, mask = torch.randn(2, 5, 3), (torch.rand(2, 5, 4) > 0.5).float()
    target = torch.poisson(torch.full((2, 5, 4), 6.0))
    changed = torch.where(mask > 0, target, torch.tensor(99.0))
    losses = [head.loss(context, values, torch.ones(2, 4), mask) for values in (target, changed)]
    torch.testing.assert_close(*losses)


def test_every_parameter_gets_a_finite_gradient_even_from_zeros(head):
    head.loss(torch.randn(2, 5, 3), torch.zeros(2, 5, 4), torch.full((2, 4), 1e-3)).sum().backward()
    for parameter in head.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().max() > 0


def test_many_zeros_are_learnt_and_drawn():
    generator = np.random.default_rng(0)
    target = generator.poisson(12, size=(2, 400)) * (generator.random((2, 400)) < 0.4)
    train = TrainConfig(max_epochs=4, batches_per_epoch=40, batch_size=32, learning_rate=1e-2)
    predictor = ForecastEstimator(
        "D", 5, encoder=Recurrent(size=8), head=NegativeBinomial(zero_inflated=True), train=train
    ).train(entry(target))
    samples = next(predictor.predict(entry(target), num_samples=500)).samples
    assert (samples == 0).mean() == pytest.approx(0.6, abs=0.12)
    assert samples[samples > 0].mean() == pytest.approx(12, rel=0.25)


def test_an_imposed_count_is_fed_back():
    target = np.random.default_rng(0).poisson(20, size=(2, 100))
    predictor = ForecastEstimator("D", 5, head=NegativeBinomial(), train=SHORT).train(entry(target))
    imposed = np.full((2, 5), np.nan)
    imposed[0, 1] = 0.0
    free, bound = (
        next(predictor.predict([{**entry(target)[0], **more}])).samples for more in ({}, {"imposed": imposed})
    )
    assert (bound[:, 1, 0] == 0).all()
    np.testing.assert_array_equal(bound[:, 0], free[:, 0])


@pytest.mark.parametrize(
    ("settings", "target", "message"),
    [
        ({}, [[1.5, 2.0] * 30], "expected counts for a head of whole numbers, got 1.5 in '0' on 20"),
        ({}, [[-1.0, 2.0] * 30], "expected counts for a head of whole numbers, got -1 in '0' on 20"),
        ({"scaling": Scaling("change")}, [[1.0, 2.0] * 30], "scaling: expected of='level' for a head of whole numbers"),
    ],
)
def test_what_is_no_count_is_refused(settings, target, message):
    with pytest.raises(ValueError, match=message):
        ForecastEstimator("D", 5, head=NegativeBinomial(), train=SHORT, **settings).train(entry(target))


def test_counts_divided_by_a_response_are_refused():
    target = np.random.default_rng(0).poisson(20, size=(1, 60))
    data = [{**entry(target)[0], "feat_dynamic_real": np.ones((1, 60)), "covariates": ("promo[0]",)}]
    with pytest.raises(
        ValueError, match="head: expected one of real numbers for sales divided by a response, got NegativeBinomial"
    ):
        ForecastEstimator("D", 5, head=NegativeBinomial(), response=LogLinear(), train=SHORT).train(data)
