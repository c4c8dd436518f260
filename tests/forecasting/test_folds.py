"""Networks that learn side by side: what each of them does is what it would do on its own."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from hemline.datasets.entries.entry import Entry
from hemline.forecasting import CrossFitEstimator, Direct, TrainConfig
from hemline.forecasting.networks.direct import DirectNetwork
from hemline.forecasting.networks.folds import Folds
from hemline.forecasting.training.folds import fit_folds
from hemline.forecasting.windows.tensor import SeriesTensor

RNG = np.random.default_rng(0)
SALES = 20 + 5 * np.sin(2 * np.pi * np.arange(120) / 7) + RNG.normal(size=(4, 120)).cumsum(1)


def problem(missing=False, folds=3, dropout=0.0):
    """Networks with weights of every kind in double precision, and their data."""
    target = SALES.copy()
    if missing:
        target[1, :70], target[2, 50:53] = np.nan, np.nan
    entry = Entry(pd.Period("2024-01-01", "D"), target)
    model = CrossFitEstimator("D", 7, folds=folds, network=Direct(hidden=6, embedding=2, dropout=dropout))
    spec = model._spec([entry])
    series = SeriesTensor([entry], spec, change=None)
    torch.manual_seed(0)
    members = model.composition(spec).network(series.statistics).members
    for member in members:
        member.measure(series)
        for parameter in member.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return members, series


def side_by_side(members, series):
    return Folds(members, torch.ones(len(members), len(series.values), dtype=torch.bool))


def losses_alone(members, window):
    return torch.stack([member.loss(window) for member in members])


@pytest.mark.parametrize("missing", [False, True])
def test_losses_and_gradients_are_those_of_each_network_alone(missing):
    members, series = problem(missing)
    for member in members:
        member.double()
    folds = side_by_side(members, series).double()
    window = series.gather(series.training_starts()[::5])
    every = torch.ones(3, len(window.values), dtype=torch.bool)
    together, alone = folds.losses(window, [0, 1, 2], every), losses_alone(members, window)
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=0)
    together.sum().backward()
    alone.sum().backward()
    for name in dict(members[0].named_parameters()):
        own = torch.stack([dict(member.named_parameters())[name].grad for member in members])
        torch.testing.assert_close(folds.weights[name.replace(".", "-")].grad, own, rtol=1e-8, atol=1e-10, msg=name)


def test_a_network_learns_nothing_from_windows_of_its_block():
    members, series = problem()
    folds, window = side_by_side(members, series), series.gather(series.training_starts()[:6])
    taught = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]]).bool()
    losses = folds.losses(window, [0, 1, 2], taught)
    parts = [series.gather(series.training_starts()[rows]) for rows in (slice(0, 3), slice(3, 6))]
    for number in (0, 1):
        torch.testing.assert_close(losses[number], members[number].loss(parts[number]))
    assert losses[2] == 0
    some = folds.losses(window, [1], taught[1:2])
    torch.testing.assert_close(some[0], losses[1])


def test_the_gradient_of_each_network_is_clipped_on_its_own():
    members, series = problem()
    folds, window = side_by_side(members, series), series.gather(series.training_starts()[:6])
    folds.losses(window, [0, 1, 2], torch.ones(3, 6, dtype=torch.bool)).sum().backward()
    for number, member in enumerate(members):
        member.loss(window).backward()
        torch.nn.utils.clip_grad_norm_(member.parameters(), (0.1, 0.1, 0.1)[number])
    folds.clip(0.1)
    for name in dict(members[0].named_parameters()):
        own = torch.stack([dict(member.named_parameters())[name].grad for member in members])
        torch.testing.assert_close(folds.weights[name.replace(".", "-")].grad, own, rtol=1e-4, atol=1e-7, msg=name)


def test_each_network_stops_when_it_is_no_longer_better_and_keeps_its_best_epoch():
    members, series = problem()
    folds = side_by_side(members, series)
    for told in ([5.0, 5.0, 5.0], [4.0, 6.0, 5.0], [3.0, 7.0, 4.9]):
        folds.note(told)
        with torch.no_grad():
            for value in folds.weights.values():
                value += 1
    assert folds.waited.tolist() == [0, 2, 0]
    assert folds.active(2) == [0, 2]
    assert folds.active(None) == [0, 1, 2]
    folds.note([2.0, float("nan"), 9.0])
    assert folds.waited.tolist() == [0, 2, 1], "one that has stopped waits no longer"
    before = [copy.deepcopy(member.state_dict()) for member in members]
    folds.hand_back()
    for number, epochs in enumerate((3, 0, 2)):
        for name, value in members[number].named_parameters():
            torch.testing.assert_close(value.detach(), before[number][name] + epochs, msg=f"{number} {name}")


def test_a_network_that_has_stopped_takes_no_part_in_further_steps(monkeypatch):
    members, series = problem()
    learnt = series.windows(series.training_starts())
    blocks = list(learnt.starts.tensor_split(3))
    apart = [torch.cat([block for other, block in enumerate(blocks) if other != number]) for number in range(3)]
    steps, losses = [], Folds.losses

    def noting(self, window, numbers, taught):
        if self.training:
            steps.append((tuple(numbers), taught.float().mean().item(), len(window.values)))
        return losses(self, window, numbers, taught)

    monkeypatch.setattr(Folds, "losses", noting)
    train = TrainConfig(
        max_epochs=30, batches_per_epoch=4, batch_size=12, learning_rate=0.05, patience=1, gradient_clip=1.0
    )
    log = fit_folds(members, train, learnt, apart, blocks, configuration={})
    assert len(steps) == 4 * len(log) < 120
    counts = [len(numbers) for numbers, *_ in steps]
    assert counts[0] == 3
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < 3
    # Two of three blocks are learnt from, so that a step has half as many windows again.
    assert {size for *_, size in steps} == {18}
    assert np.mean([share for _, share, _ in steps]) == pytest.approx(2 / 3, abs=0.05)


def test_units_are_left_out_in_training_alone():
    members, series = problem(dropout=0.5)
    folds, window = side_by_side(members, series), series.gather(series.training_starts()[:6])
    every = torch.ones(3, 6, dtype=torch.bool)
    first, second = (folds.train().losses(window, [0, 1, 2], every) for _ in range(2))
    assert (first != second).all()
    first, second = (folds.eval().losses(window, [0, 1, 2], every) for _ in range(2))
    assert (first == second).all()
    assert not any(isinstance(module, DirectNetwork) for module in folds.modules()), (
        "their weights are not learnt twice"
    )
