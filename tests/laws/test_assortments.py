"""Every model forecasts the assortment that it is given: by name, in any order, without those that have ended."""

import numpy as np
import pytest
from hemline.datasets import simulated_sales
from hemline.datasets.entries.assortment import placed
from hemline.datasets.entries.channels import Channels, names_of
from hemline.forecasting import MODELS, Scenario, forecast_frame, simulate

SALES = simulated_sales(articles=5, weeks=100, seed=3, windows=1)
HISTORY = SALES.history(0)
NAMES = HISTORY.item_ids
NEW = "hat_1"


def some(entry, names):
    """The entry of some series, in an order of theirs, with their own channels and the shared ones."""
    left = entry.without_channels_of(set(NAMES) - set(names)).of_series(list(names))
    order = [*names_of("price", names), *names_of("promo", names), "holiday"]
    values = np.stack([entry.channel(name) for name in order])
    return left.with_(channels=Channels(values, tuple(order)))


def beside(entry, like):
    """The entry with one series more, that sells as another one does."""
    row = entry.item_ids.index(like)
    renamed = {name: name.replace(like, NEW) for name in entry.channels.names if f"[{like}]" in name}
    fields = {"target": np.vstack([entry.target, entry.target[row]]), "item_ids": (*entry.item_ids, NEW)}
    for kind in ("channels", "past_channels"):
        rows = getattr(entry, kind)
        own = [number for number, name in enumerate(rows.names) if f"[{like}]" in name]
        values = np.vstack([rows.values, rows.values[own]])
        fields[kind] = Channels(values, (*rows.names, *(rows.names[number].replace(like, NEW) for number in own)))
    assert renamed
    return entry.with_(**fields)


def paths(model, entry):
    return np.asarray(next(model.predict([entry], num_samples=20, seed=1)).samples)


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow) if each == "pool" else each for each in MODELS]
)
def test_an_assortment_is_forecast_by_name(name, trained_shortly):
    model = trained_shortly(name, SALES)
    starts_cold, knows = name == "cold-start", bool(getattr(model, "item_ids", ()))
    if knows and not starts_cold:
        turned = paths(model, some(HISTORY, NAMES[::-1]))
        np.testing.assert_array_equal(turned, paths(model, HISTORY)[..., ::-1])
    left = paths(model, some(HISTORY, (NAMES[3], NAMES[0])))
    assert left.shape == (20, 8, 2)
    assert np.isfinite(left).all()
    entry = beside(some(HISTORY, NAMES[:4]), NAMES[1])
    if starts_cold or not knows:
        assert np.isfinite(paths(model, entry)).all()
        return
    with pytest.warns(UserWarning, match="1 series are none of the training and have no forecast: 'hat_1'"):
        drawn = paths(model, entry)
    np.testing.assert_array_equal(np.isnan(drawn).all((0, 1)), [False] * 4 + [True])
    assert np.isfinite(drawn[..., :4]).all()


def test_an_assortment_that_shares_nothing_is_refused(trained_shortly):
    entry = some(HISTORY, NAMES[:1])
    strange = entry.with_(
        item_ids=("scarf_9",),
        channels=Channels(entry.channels.values, ("price[scarf_9]", "promo[scarf_9]", "holiday")),
        past_channels=Channels(),
    )
    with pytest.raises(ValueError, match=r"expected some of the series of the training, 'dress_1'.*got 'scarf_9'"):
        paths(trained_shortly("gru-maf", SALES), strange)


def test_a_scenario_goes_by_the_names_of_the_entry(trained_shortly):
    model = trained_shortly("sales-maf", SALES)
    asked = Scenario("cut", f"price[{NAMES[0]}] = -30%")
    whole = simulate(model, HISTORY, asked, paths=50)["cut"].difference().paths
    part = simulate(model, some(HISTORY, NAMES[::-1]), asked, paths=50)["cut"].difference().paths
    np.testing.assert_allclose(part[..., ::-1], whole, atol=1e-3)


def test_a_table_has_no_rows_of_a_series_without_a_forecast(trained_shortly):
    entry = beside(some(HISTORY, NAMES[:4]), NAMES[1])
    with pytest.warns(UserWarning, match="hat_1"):
        drawn = next(trained_shortly("sales-maf", SALES).predict([entry], num_samples=20))
    assert sorted(set(forecast_frame(drawn, entry.item_ids)["item_id"])) == sorted(NAMES[:4])


def test_what_comes_back_does_not_depend_on_what_is_absent(trained_shortly):
    """Of a model whose series share nothing, those that are left have the paths that they have beside the others."""
    model = trained_shortly("sales-maf", SALES)
    left = some(HISTORY, NAMES[:4])
    usual, alone = paths(model, HISTORY), paths(model, left)
    # Not equal: the network reads all series. But of the same size, as one that is gone has no level of 0 to be read.
    ratio = alone.mean((0, 1)) / usual[..., :4].mean((0, 1))
    np.testing.assert_allclose(ratio, 1, atol=0.35)


def test_one_that_is_absent_stays_so_on_its_way_through_names():
    entry = placed(some(HISTORY, NAMES[:2]), NAMES[:3]).entry
    again = placed(entry, (NAMES[2], NAMES[0], NAMES[4])).entry
    assert again.absent.tolist() == [True, False, True]
