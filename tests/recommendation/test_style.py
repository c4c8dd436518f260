"""Style over time: the sampled softmax, causality, sets, irregular times, and drift."""

import numpy as np
import pytest
import torch
from customers import TEST, N, before, features, shop
from hemline.datasets.purchases.purchases import Purchases
from hemline.evaluation.scores.ranking import auc
from hemline.recommendation import build_recommender
from hemline.recommendation.contract.article_network import inputs_of
from hemline.recommendation.style.model import empty_network
from hemline.recommendation.style.sequences import DAY, Sequences
from hemline.recommendation.style.settings import StyleSettings

SETTINGS = {"width": 16, "size": 32, "hidden": 24, "epochs": 3, "batch": 32}
START = np.datetime64("2024-01-01", "s")


def bought(days, items, customer=None) -> Purchases:
    time = START + np.array(days) * DAY
    who = np.zeros(len(days), int) if customer is None else np.array(customer)
    names = tuple(f"c{number}" for number in range(who.max() + 1))
    return Purchases(names, features().item_ids, who, np.array(items), time)


@pytest.fixture(scope="module", params=["lstm", "mean"])
def network(request):
    torch.manual_seed(0)
    made = empty_network(StyleSettings(width=6, size=8, hidden=8, memory=request.param), features()).eval()
    with torch.no_grad():
        made.own.normal_()
        made.bias.normal_()
    return made.double()


def vectors(network):
    return network.content(*(part.double() for part in inputs_of(features()))) + network.own


def double(baskets):
    return type(baskets)(
        **{name: each.double() if each.is_floating_point() else each for name, each in vars(baskets).items()}
    )


def test_with_all_articles_sampled_the_loss_is_the_softmax_over_those_on_sale_in_the_week(network):
    rows = bought([0, 0, 9, 20, 30], [3, 4, 5, 6, 7], [0, 0, 0, 0, 1])
    baskets = double(Sequences(rows, 60, START).batch(np.array([0, 1])))
    on_sale = torch.zeros(5, N, dtype=torch.bool)
    on_sale[:, :20] = True
    articles = vectors(network)
    told = float(network.loss(baskets, articles, network.bias, on_sale, torch.arange(N), torch.zeros(5)).detach())
    styles = network.styles(network.memories(baskets, articles)[:, :-1], baskets.queries)
    costs = []
    for item, place in zip(baskets.items.tolist(), baskets.place.tolist(), strict=True):
        odds = styles.flatten(0, 1)[place] @ articles[:20].T + network.bias[:20]
        costs.append(float((torch.logsumexp(odds, 0) - odds[item]).detach()))
    assert told == pytest.approx(np.mean(costs), rel=1e-9)


def test_the_slope_of_a_sampled_softmax_is_on_average_that_of_the_whole_one(network):
    rows = bought([0, 9, 20, 30, 41], [3, 5, 6, 7, 11])
    baskets = double(Sequences(rows, 60, START).batch(np.array([0])))
    on_sale = torch.ones(6, N, dtype=torch.bool)

    def slope(sampled):
        network.zero_grad()
        stands_for = torch.full((6,), np.log(N / len(sampled))).double()
        network.loss(baskets, vectors(network), network.bias, on_sale, sampled, stands_for).backward()
        return network.bias.grad[[3, 5, 6, 7, 11]].clone()

    whole = slope(torch.arange(N))
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([slope(torch.randperm(N, generator=generator)[:80]) for _ in range(60)])
    torch.testing.assert_close(drawn.mean(0), whole, atol=0.03, rtol=0)


def test_what_is_bought_later_changes_no_style_before(network):
    days, items = [0, 7, 15, 30], [1, 2, 3, 4]
    one = double(Sequences(bought(days, items), 60, START).batch(np.array([0])))
    other = double(Sequences(bought(days, [1, 2, 3, 99]), 60, START).batch(np.array([0])))
    first, second = (network.memories(each, vectors(network)) for each in (one, other))
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert not torch.allclose(first[:, 4], second[:, 4])


def test_a_basket_is_a_set_and_time_counts_for_the_lstm_alone(network):
    def style(days, items):
        sequences = Sequences(bought(days, items), 60, START)
        baskets = double(sequences.batch(np.array([0])))
        return network.memories(baskets, vectors(network))[0, -1]

    torch.testing.assert_close(style([0, 0, 5], [1, 2, 3]), style([0, 0, 5], [2, 1, 3]))
    order = style([0, 5], [1, 2]), style([0, 5], [2, 1])
    later = style([0, 5], [1, 2]), style([0, 90], [1, 2])
    same = network.lstm is None
    assert torch.allclose(*order) == same
    assert torch.allclose(*later) == same


def test_the_latest_baskets_are_read_and_gaps_are_known():
    sequences = Sequences(bought([0, 7, 15, 30], [1, 2, 3, 4]), 2, START)
    baskets = sequences.batch(np.array([0]))
    assert baskets.items.tolist() == [3, 4]
    np.testing.assert_allclose(baskets.facts[0, :, 0], np.log1p([8, 15]) / 3, rtol=1e-6)
    assert baskets.week.tolist() == [[2, 4]]
    query = sequences.queries_at(np.array([0]), START + 40 * DAY)
    np.testing.assert_allclose(query[0, 0], np.log1p(10) / 3, rtol=1e-6)


@pytest.mark.parametrize("name", ["style", "style-static"])
def test_tastes_are_learnt_for_sold_and_new_articles(name):
    model = build_recommender(name, {**SETTINGS, "epochs": 30})
    fitted = model.fit(before(), features(), until=shop().week(TEST), on_sale=shop().on_sale)
    later = shop().purchases.between(shop().week(TEST)).of_customers(fitted.customers)
    right = later.matrix().toarray() > 0
    past = before().matrix().toarray() > 0
    scores, new = fitted.score(at=shop().week(TEST)), shop().truth.first_week == TEST
    assert np.nanmean(auc(scores, right, ~past & ~new)) > 0.62
    assert np.nanmean(auc(scores, right, new)) > 0.58


def test_the_same_training_again_and_after_a_kill(tmp_path):
    def scores(**how):
        return build_recommender("style", SETTINGS).fit(before(), features(), on_sale=shop().on_sale, **how).score()

    whole = scores()
    assert np.array_equal(scores(checkpoints=str(tmp_path)), whole)
    assert np.array_equal(scores(checkpoints=str(tmp_path)), whole)
