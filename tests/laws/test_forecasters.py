"""Laws of every composition of an encoder and a head, on levels and on changes, and on their ranks."""

import itertools

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import Copula, ForecastEstimator, ForecastPredictor, Scaling, TrainConfig
from hemline.forecasting.networks.forecaster import Forecaster
from hemline.forecasting.networks.heads.gaussian import LowRank
from hemline.forecasting.networks.heads.head import DensityHead, borrow
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor
from parts import ENCODERS, HEADS

BUILT = {name: head.build(series=2, context_size=8) for name, head in HEADS.items()}
COMPOSITIONS = [("SharedWeights" if head.shared else "Recurrent-gru", name) for name, head in BUILT.items()] + [
    (encoder, "MAF") for encoder in ENCODERS if encoder != "Recurrent-gru"
]
UNITS = {
    "level": Scaling("level"),
    "change": Scaling("change"),
    "ranked level": Copula(window=20),
    "ranked change": Copula(Scaling("change"), window=20),
}
# A head of counts works on levels alone.
CASES = [
    (parts, of)
    for parts, of in itertools.product(COMPOSITIONS, ["level", "change"])
    if of == "level" or not BUILT[parts[1]].lattice
]
CASES += list(
    itertools.product(
        [("Recurrent-gru", "LowRankGaussian"), ("SharedWeights", "GaussianProcess")], ["ranked level", "ranked change"]
    )
)


def entries(dim=3, length=80, gaps=False, seed=0, counts=False):
    generator = np.random.default_rng(seed)
    target = (20 + generator.normal(size=(dim, length)).cumsum(1)).astype(np.float32)
    if counts:
        target = target.round().clip(0)
    if gaps:
        target[:, 10:13] = np.nan
        target[0, 40:60:3] = np.nan
    return as_multivariate([{"start": pd.Period("2024-01-01", "D"), "target": target}])


def compose(case, data, seed=0) -> tuple[Forecaster, SeriesTensor]:
    (encoder, head), of = case
    estimator = ForecastEstimator("D", 5, lags=(1, 2), scaling=UNITS[of], encoder=ENCODERS[encoder], head=HEADS[head])
    spec = infer_spec(data, freq="D", prediction_length=5, lags=(1, 2), past=estimator.scaling.past)
    series = SeriesTensor(data, spec, change=estimator.scaling.change)
    torch.manual_seed(seed)
    return estimator.composition(spec).network(series.statistics).eval(), series


@pytest.mark.parametrize("case", CASES, ids=str)
class TestLaws:
    def test_every_parameter_gets_a_gradient(self, case):
        forecaster, series = compose(case, entries())
        forecaster.train().loss(series.gather(series.training_starts())).backward()
        for name, parameter in forecaster.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().max() > 0, name

    def test_losses_do_not_depend_on_the_order_of_the_batch(self, case):
        forecaster, series = compose(case, entries())
        if not isinstance(forecaster.head, DensityHead):
            pytest.skip("the loss is drawn anew for each window")
        starts = series.training_starts()[:8]
        order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
        losses, _ = forecaster.step_losses(series.gather(starts))
        shuffled, _ = forecaster.step_losses(series.gather(starts[order]))
        torch.testing.assert_close(shuffled, losses[order])

    def test_the_loss_of_a_step_does_not_depend_on_later_values_of_the_horizon(self, case):
        forecaster, series = compose(case, entries())
        window = series.gather(series.training_starts()[:4])
        torch.manual_seed(1)
        before, _ = forecaster.step_losses(window, context=False)
        window.values[:, -2:] += 3.0
        torch.manual_seed(1)
        after, _ = forecaster.step_losses(window, context=False)
        torch.testing.assert_close(after[:, :-2], before[:, :-2])
        assert not torch.allclose(after[:, -2:], before[:, -2:])

    def test_a_gap_leaves_losses_gradients_and_paths_finite(self, case):
        forecaster, series = compose(case, entries(gaps=True))
        loss = forecaster.train().loss(series.gather(series.training_starts()))
        loss.backward()
        assert loss.isfinite()
        assert all(parameter.grad.isfinite().all() for parameter in forecaster.parameters())
        data = entries(gaps=True)
        data[0] = data[0].with_(target=np.where(np.arange(80) < 76, data[0].target, np.nan))
        predictor = ForecastPredictor(ForecastEstimator("D", 5).composition(forecaster.spec), forecaster)
        assert np.isfinite(next(predictor.predict(data, num_samples=3)).samples).all()

    def test_one_series_is_enough(self, case):
        forecaster, series = compose(case, entries(dim=1))
        assert forecaster.loss(series.gather(series.training_starts())).isfinite()
        window = series.gather(series.training_starts()[:2], horizon=False)
        assert forecaster.sample(window, 4).shape == (2, 4, 5, 1)

    def test_losses_carry_the_jacobian_of_the_scale(self, case):
        """Data ten times as large have a density a tenth as high: the loss grows by log 10 a series.

        Ranks do not know of the size, and their loss is that of the normal scores.
        """
        data = entries()
        forecaster, series = compose(case, data)
        if not isinstance(forecaster.head, DensityHead):
            pytest.skip("the loss is no density")
        larger = [data[0].with_(target=10 * data[0].target)]
        scaled, scaled_series = compose(case, larger)
        scaled.load_state_dict({**forecaster.state_dict(), "usual_scale": scaled.usual_scale})
        starts = series.training_starts()[:4]
        with torch.no_grad():
            small, large = forecaster.loss(series.gather(starts)), scaled.loss(scaled_series.gather(starts))
        growth = 0 if "ranked" in case[1] else np.log(10)
        assert float(large - small) == pytest.approx(growth, abs=1e-3)


# A covariance that is no number has no Cholesky factor, which raises by itself.
@pytest.mark.parametrize("head", [head for head, config in HEADS.items() if not isinstance(config, LowRank)])
def test_a_context_that_is_no_number_reaches_the_loss(head):
    """It is reported there, by epoch and series; torch's checks would raise before, and cost time at each step."""
    built = HEADS[head].build(series=3, context_size=24)
    with torch.no_grad():
        loss = built.loss(torch.full((2, 4, 24), torch.nan), torch.ones(2, 4, 3), torch.ones(2, 3))
    assert loss.isnan().all()


def test_a_training_leaves_the_checks_of_torch_as_they_are():
    during = []

    class Look(pl.Callback):
        def on_train_batch_end(self, *_):
            during.append(torch.distributions.Distribution._validate_args)

    before = torch.distributions.Distribution._validate_args
    train = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4, trainer={"callbacks": [Look()]})
    ForecastEstimator("D", 5, lags=(1, 2), train=train).train(entries())
    assert during == [before, before]


def test_values_under_a_mask_never_reach_a_factorised_loss():
    forecaster, _ = compose((("Recurrent-gru", "StudentT"), "level"), entries())
    hidden, target = torch.randn(6, 10, forecaster.encoder.context_size), torch.randn(6, 10, 3)
    mask = (torch.rand(6, 10, 3) > 0.5).float()
    changed = torch.where(mask > 0, target, torch.tensor(99.0))
    losses = [forecaster.head.loss(hidden, values, torch.ones(6, 3), mask) for values in (target, changed)]
    torch.testing.assert_close(*losses)


def test_every_gap_borrows_from_its_own_series_where_the_window_saw_it_at_all():
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(50, 60, 3, generator=generator) + torch.tensor([1.0, 10.0, 100.0])
    observed = (torch.rand(50, 60, 3, generator=generator) < 0.1).float()
    observed[:, :, 0] = 0
    observed[:, 7, 1] = 1
    observed[:10, :, 2], observed[:10, 59, 2] = 0, 1
    filled = borrow(values.masked_fill(observed == 0, 0), observed)
    assert torch.equal(filled[observed > 0], values[observed > 0])
    assert ((filled[..., 1] >= 10) & (filled[..., 1] <= 11)).all()
    saw = observed[..., 2].any(1)
    assert (filled[saw][..., 2] >= 100).all()
    # What the window never saw is another series of it, whole, now this one and now that.
    like = (filled[..., :1] == filled[..., 1:]).all(1)
    assert (like.sum(-1) == 1).all()
    assert 10 < int(like[:, 0].sum()) < 40
    assert (borrow(torch.ones(2, 4, 3), torch.zeros(2, 4, 3)) == 0).all()


@pytest.mark.parametrize("head", ["MAF", "RealNVP", "Diffusion", "LowRankGaussian"])
def test_what_a_window_never_saw_is_read_as_missing_while_paths_are_drawn(head):
    [entry] = entries(gaps=True)
    data = [entry.with_(target=np.where(np.arange(3)[:, None] == 2, np.nan, entry.target))]
    forecaster, series = compose((("Recurrent-gru", head), "level"), data)
    read, dim = [], forecaster.spec.target_dim
    forecaster.encoder.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    drawn = forecaster.sample(series.gather(torch.tensor([60]), horizon=False), 7)
    assert (drawn[..., 2] != 0).any()
    for inputs in read:
        told = inputs[..., : 3 * dim].unflatten(-1, (3, dim))  # two lags, and what was seen
        assert (told[..., 2] == 0).all()
        assert (told[..., 2, 0] == 1).any()


def test_a_mask_counts_every_seen_value_once():
    """The mean over seen values of two halves of a mask is the mean over all."""
    forecaster, series = compose((("Recurrent-gru", "StudentT"), "level"), entries())
    window = series.gather(series.training_starts()[:6])
    hidden = torch.randn(6, 10, forecaster.encoder.context_size)
    target, scale = window.values[:, -10:], torch.ones(6, 3)
    mask = (torch.rand(6, 10, 3) > 0.5).float()
    whole = forecaster.head.loss(hidden, target, scale).sum()
    parts = [(forecaster.head.loss(hidden, target, scale, m) * m.mean(-1)).sum() for m in (mask, 1 - mask)]
    torch.testing.assert_close(sum(parts), whole)


@pytest.mark.parametrize("of", ["level", "change"])
def test_sampling_continues_what_training_saw(of):
    """Feeding a drawn path back through teacher forcing gives the contexts it was drawn from."""
    torch.manual_seed(0)
    for encoder in ENCODERS:
        forecaster, series = compose(((encoder, "StudentT"), of), entries())
        seen = []
        distribution = forecaster.head.distribution

        def spy(context, distribution=distribution, seen=seen):
            seen.append(context)
            return distribution(context)

        forecaster.head.distribution = spy
        start = series.training_starts()[:1]
        drawn = forecaster.sample(series.gather(start, horizon=False), 1)
        decoded = torch.stack(seen, 1)
        forced = series.gather(start)
        forced.values[:, -5:] = drawn[:, 0]
        seen.clear()
        forecaster.step_losses(forced, context=False)
        torch.testing.assert_close(seen[0], decoded, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_saved_predictor_draws_the_same_paths(case, tmp_path):
    (encoder, head), of = case
    training = TrainConfig(max_epochs=1, batches_per_epoch=2, batch_size=4)
    estimator = ForecastEstimator(
        "D", 5, lags=(1, 2), scaling=UNITS[of], encoder=ENCODERS[encoder], head=HEADS[head], train=training
    )
    data = entries(gaps=True, counts=BUILT[head].lattice)
    predictor = estimator.train(data)
    predictor.serialize(tmp_path / "predictor")
    again = ForecastPredictor.deserialize(tmp_path / "predictor")
    first, second = (next(each.predict(data, num_samples=7)).samples for each in (predictor, again))
    np.testing.assert_allclose(first, second, atol=1e-6, rtol=0)
    assert again.training_log == predictor.training_log
