"""A network for more series says of the old ones what it said before."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hemline.datasets import simulated_sales
from hemline.datasets.entries.assortment import in_places, with_room
from hemline.datasets.entries.channels import Channels
from hemline.datasets.entries.cuts import of_articles
from hemline.datasets.entries.multivariate import as_multivariate
from hemline.forecasting import Scaling, build_model
from hemline.forecasting.networks.direct import Direct, DirectNetwork
from hemline.forecasting.networks.widening import take_over
from hemline.forecasting.windows.spec import infer_spec
from hemline.forecasting.windows.tensor import SeriesTensor

SALES = simulated_sales(articles=5, weeks=80, windows=0)
NAMES = SALES.metadata.item_ids


def says(name, network, series):
    """The numbers of each series in a density at the end of the data, ``[..., D, p]``."""
    window, scale, _ = network._in_units(series.gather(series.training_starts()[-2:]))
    told = network.head.parameters_of(network.encoder(network._inputs(window, scale))[0])
    dim = network.spec.target_dim
    kinds = told.shape[-1] // dim
    return told.unflatten(-1, (dim, kinds)) if "copula" in name else told.unflatten(-1, (kinds, dim)).transpose(-1, -2)


def both(name, seen):
    """A network for some of the series, and one for all of them and free places, with its weights."""
    model = build_model(name, SALES.metadata)
    entries = as_multivariate(of_articles([SALES.latest.until(79)], np.isin(NAMES, seen)))
    old = infer_spec(entries, freq="W-SUN", prediction_length=8, context_length=8, past=model.scaling.past)
    first = SeriesTensor(entries, old, change=model.scaling.change)
    torch.manual_seed(0)
    network = model.composition(old).network(first.statistics).eval()
    item_ids = with_room(old.item_ids, NAMES)
    grown = in_places(entries, item_ids)
    new = replace(
        old, target_dim=len(item_ids), item_ids=item_ids, missing=True,
        covariates=len(grown[0].channels), covariate_names=grown[0].channels.names,
        past_covariates=len(grown[0].past_channels), past_covariate_names=grown[0].past_channels.names,
    )  # fmt: skip
    measured = SeriesTensor(grown, new, change=model.scaling.change)
    wider = model.composition(new).network(measured.statistics)
    take_over(wider, network.state_dict(), old)
    return network, first, wider.eval(), measured


@pytest.mark.parametrize("name", ["vec-lstm-ind", "vec-lstm-copula", "gru-maf"])
def test_it_reads_of_the_old_series_what_it_read(name):
    network, first, wider, second = both(name, NAMES[:3])
    with torch.no_grad():
        before, after = network.encoder, wider.encoder
        old, new = first.gather(first.training_starts()[-2:]), second.gather(second.training_starts()[-2:])
        inputs = [each._inputs(*each._in_units(window)[:2]) for each, window in ((network, old), (wider, new))]
        assert inputs[1].shape[-1] > inputs[0].shape[-1]
        torch.testing.assert_close(after(inputs[1])[0], before(inputs[0])[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["vec-lstm-ind", "vec-lstm-copula"])
def test_it_says_of_the_old_series_what_it_said(name):
    network, first, wider, second = both(name, NAMES[:3])
    with torch.no_grad():
        before, after = says(name, network, first), says(name, wider, second)
    assert after.shape[-2] == 6
    torch.testing.assert_close(after[..., :3, :], before, atol=1e-5, rtol=1e-4)


def direct(entries, item_ids, seed, missing=False):
    """A direct network of some series with random weights, and the data that it reads."""
    old = infer_spec(entries, freq="W-SUN", prediction_length=8, context_length=8, lags=(1, 2, 13))
    spec = replace(old, target_dim=len(item_ids), item_ids=item_ids, missing=missing)
    series = SeriesTensor(entries, spec, change=None)
    torch.manual_seed(seed)
    network = DirectNetwork(spec, Scaling(), series.statistics, Direct(hidden=16, embedding=3)).eval()
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    for measured in (network.usual_change, network.usual_scale):  # not what is looked at here
        measured.fill_(1.0)
    return network, series


@pytest.mark.parametrize("more", [False, True])
def test_a_direct_network_says_what_it_said_where_gaps_channels_and_series_come(more):
    whole = as_multivariate([SALES.latest.until(79)])[0]
    whole = whole.with_(target=np.nan_to_num(whole.target, nan=3.0))
    few = [name for name in whole.channels.names if not name.startswith(("promo", "holiday"))]
    values = np.stack([whole.channel(name) for name in few])
    first = of_articles([whole.with_(channels=Channels(values, tuple(few)))], np.isin(NAMES, NAMES[:3]))
    second = [whole] if more else of_articles([whole], np.isin(NAMES, NAMES[:3]))
    network, old = direct(first, NAMES[:3], 0)
    wider, new = direct(second, second[0].item_ids, 1, missing=True)
    assert wider.body[0].weight.shape[1] > network.body[0].weight.shape[1]
    take_over(wider, network.state_dict(), network.spec)
    three = torch.arange(3)
    with torch.no_grad():
        said, say = network(old.gather(torch.tensor([70])), three), wider(new.gather(torch.tensor([70])), three)
    for before, after in zip(said, say, strict=True):
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_a_new_article_takes_a_free_place_before_there_are_more():
    places = with_room(("a", "b", "c", "d", "e"), ("f",))
    assert places == ("a", "b", "c", "d", "e", "f", "(free 1)", "(free 2)")
    assert with_room(places, ("g",))[6:] == ("g", "(free 2)")
    assert len(with_room(places, ("g", "h", "i"))) == 9 + 2
