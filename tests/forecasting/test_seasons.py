from __future__ import annotations

import pytest
import torch
from hemline.forecasting.networks.seasons import past_seasons
from torch.testing import assert_close

SEASON = 7


def weeks(count, series=5, batch=1, noise=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pattern = torch.rand(batch, series, SEASON, generator=generator, dtype=torch.float64)
    past = pattern.repeat(1, 1, count)
    return past + noise * torch.randn(past.shape, generator=generator, dtype=torch.float64), pattern


def plain(past, count):
    return torch.stack([past[..., past.shape[-1] - (k + 1) * SEASON :][..., :SEASON] for k in range(count)])


def ones(past):
    return past.new_ones(len(past), past.shape[1], 1)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_where_nothing_is_left_out_they_are_the_last_seasons(count):
    past, _ = weeks(6, noise=0.1)
    assert_close(past_seasons(past, ones(past), SEASON, count), plain(past, count), rtol=0, atol=0)


def test_a_growing_level_is_no_reason_to_look_elsewhere():
    past, _ = weeks(6)
    past = past + 3.0 * torch.arange(past.shape[-1]).div(SEASON, rounding_mode="floor")
    assert_close(past_seasons(past, ones(past), SEASON, 4), plain(past, 4), rtol=0, atol=0)


@pytest.mark.parametrize("gone", [0, 3, 6])
def test_seasons_before_a_step_that_was_left_out_are_in_step_again(gone):
    past, pattern = weeks(6, noise=0.02)
    place = 4 * SEASON + gone
    found = past_seasons(torch.cat([past[..., :place], past[..., place + 1 :]], -1), ones(past), SEASON, 4)
    assert_close(found[0], pattern, rtol=0, atol=0.1)
    for older in found[2:]:
        assert_close(older, pattern, rtol=0, atol=0.1)


def test_and_those_before_a_step_that_came_twice():
    past, pattern = weeks(6, noise=0.02)
    place = 4 * SEASON + 2
    found = past_seasons(torch.cat([past[..., :place], past[..., place - 1 :]], -1), ones(past), SEASON, 4)
    for older in found[2:]:
        assert_close(older, pattern, rtol=0, atol=0.1)


def test_each_window_of_a_batch_follows_its_own():
    past, _ = weeks(6, noise=0.02)
    place = 4 * SEASON + 3
    whole, short = past[..., 1:], torch.cat([past[..., :place], past[..., place + 1 :]], -1)
    together = past_seasons(torch.cat([whole, short]), ones(torch.cat([whole, short])), SEASON, 4)
    for number, alone in enumerate((whole, short)):
        assert_close(together[:, number : number + 1], past_seasons(alone, ones(alone), SEASON, 4), rtol=0, atol=0)


@pytest.mark.parametrize("length", [14, 15, 20, 21])
def test_it_stays_within_the_past(length):
    past, _ = weeks(4, noise=5.0)
    past = past[..., -length:]
    count = length // SEASON
    found = past_seasons(past, ones(past), SEASON, count)
    assert found.shape == (count, 1, 5, SEASON)
    for each in found:
        assert any(torch.equal(each, past[..., first : first + SEASON]) for first in range(length - SEASON + 1))
