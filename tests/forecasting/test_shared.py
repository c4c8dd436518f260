"""Models whose weights are shared by the series."""

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import (
    MAF,
    Copula,
    ForecastEstimator,
    GaussianProcess,
    GPCopulaEstimator,
    Recurrent,
    Scaling,
    SharedWeights,
    TrainConfig,
)
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor

SHARED = SharedWeights(Recurrent("lstm", size=8, dropout=0.0))
PROCESS = GaussianProcess(rank=2)


def composed(scaling=None, encoder=SHARED, head=PROCESS, dim=5, gaps=False):
    generator = np.random.default_rng(0)
    target = (20 + generator.normal(size=(dim, 90)).cumsum(1)).astype(np.float32)
    if gaps:
        target[0, 30:50:3] = np.nan
    data = as_multivariate([{"start": pd.Period("2024-01-01", "D"), "target": target}])
    scaling = scaling or Scaling()
    estimator = ForecastEstimator("D", 5, lags=(1, 2), scaling=scaling, encoder=encoder, head=head)
    spec = infer_spec(data, freq="D", prediction_length=5, lags=(1, 2), past=scaling.past)
    series = SeriesTensor(data, spec, change=scaling.change)
    torch.manual_seed(0)
    return estimator.composition(spec).network(series.statistics), series.gather(series.training_starts()[:6])


@pytest.mark.parametrize("scaling", [Scaling(), Scaling("change"), Copula(window=20)], ids=str)
@pytest.mark.parametrize("gaps", [False, True])
def test_learning_from_some_series_is_learning_from_their_marginal_density(scaling, gaps, monkeypatch):
    forecaster, window = composed(scaling, gaps=gaps)
    chosen = torch.tensor([3, 0])
    units, scale, _ = forecaster._in_units(window)
    hidden, _ = forecaster.encoder(forecaster._inputs(units, scale))
    seen = torch.zeros_like(units.values) if window.observed is None else window.observed.clone()
    seen[..., chosen] = 1.0 if window.observed is None else window.observed[..., chosen]
    seen[..., [1, 2, 4]] = 0
    first = forecaster.spec.history
    expected = forecaster.head.loss(hidden, units.values[:, first:], scale, seen[:, first:]) * seen[:, first:].mean(-1)
    monkeypatch.setattr(forecaster.encoder, "subset", lambda: chosen)
    losses, weights = forecaster.step_losses(window)
    torch.testing.assert_close(losses * weights * (2 / 5), expected, atol=1e-4, rtol=1e-4)


def test_the_series_of_a_step_are_drawn_anew_and_only_in_training():
    forecaster, _ = composed(encoder=SharedWeights(sample=2))
    drawn = {tuple(sorted(forecaster.train().encoder.subset().tolist())) for _ in range(40)}
    assert len(drawn) > 5
    assert {len(each) for each in drawn} == {2}
    assert forecaster.eval().encoder.subset() is None


def test_what_is_said_of_a_series_depends_on_its_own_past_alone():
    forecaster, window = composed()
    part = forecaster.encoder.context_size // 5
    before, _ = forecaster.encoder(forecaster._inputs(window, forecaster.usual_scale.expand(6, 5)))
    window.values[..., 2] += 5
    after, _ = forecaster.encoder(forecaster._inputs(window, forecaster.usual_scale.expand(6, 5)))
    changed = (after != before).flatten(0, 1).any(0).view(5, part).any(1)
    assert changed.tolist() == [False, False, True, False, False]


def test_series_with_the_same_past_differ_by_their_embedding_alone():
    forecaster, window = composed()
    window.values[:] = window.values[..., :1]
    forecaster.usual_scale[:] = 1.0
    with torch.no_grad():
        apart = forecaster.head.distribution(forecaster.encoder(forecaster._inputs(window, torch.ones(6, 5)))[0]).loc
        forecaster.encoder.embedding.weight[:] = forecaster.encoder.embedding.weight[0]
        equal = forecaster.head.distribution(forecaster.encoder(forecaster._inputs(window, torch.ones(6, 5)))[0]).loc
    assert (apart.std(-1) > 0).all()
    torch.testing.assert_close(equal, equal[..., :1].expand_as(equal))


def test_weights_do_not_grow_with_the_series_but_for_the_embedding():
    few, many = (composed(dim=dim)[0] for dim in (3, 30))
    sizes = [sum(parameter.numel() for parameter in each.parameters()) for each in (few, many)]
    assert sizes[1] - sizes[0] == 27 * SHARED.embedding


def test_a_model_trained_on_two_series_at_a_time_finds_the_dependence_of_four():
    generator = np.random.default_rng(0)
    common = generator.normal(size=(1, 500))
    target = np.sign([[1], [1], [-1], [-1]]) * common + 0.3 * generator.normal(size=(4, 500))
    data = [{"start": pd.Period("2024-01-01", "D"), "target": target.astype(np.float32)}]
    train = TrainConfig(max_epochs=8, batches_per_epoch=30, batch_size=16, learning_rate=1e-2)
    estimator = GPCopulaEstimator("D", 5, lags=(1,), train=train, encoder=SharedWeights(SHARED.each, sample=2))
    samples = next(estimator.train(data).predict(data, num_samples=500)).samples.reshape(-1, 4)
    correlation = np.corrcoef(samples.T)
    assert correlation[0, 1] > 0.6
    assert correlation[2, 3] > 0.6
    assert correlation[0, 2] < -0.6


def test_compositions_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match=r"expected one that has a context for each series .* got RecurrentEncoder"):
        composed(encoder=Recurrent())
    with pytest.raises(ValueError, match="to train on 2 series at a time, got FlowHead"):
        composed(encoder=SharedWeights(sample=2), head=MAF())
    with pytest.raises(ValueError, match="embedding: expected a whole number from 1, got 0"):
        SharedWeights(embedding=0)
    with pytest.raises(ValueError, match="sample: expected a whole number from 1 or none, got 0"):
        SharedWeights(sample=0)
