"""Fashion DNA: its loss against the whole matrix, convex fits, new articles and customers, calibration."""

import numpy as np
import pytest
import torch
from customers import TEST, WEEKS, N, before, features, shop
from hemline.evaluation.scores.probabilities import calibration_line
from hemline.evaluation.scores.ranking import auc
from hemline.recommendation import build_recommender
from hemline.recommendation.contract.article_network import ArticleNetwork, inputs_of
from hemline.recommendation.contract.convex_fit import NormalPrior, fit_logistic
from hemline.recommendation.fashion_dna.blocks import Blocks, held_out
from hemline.recommendation.fashion_dna.network import DNANetwork
from scipy import sparse
from scipy.optimize import minimize

SETTINGS = {"width": 16, "size": 32, "epochs": 40, "lr": 2e-2, "block": 64, "watch": 0.15}


def network(customers: int, own: int = N) -> DNANetwork:
    torch.manual_seed(0)
    made = DNANetwork(ArticleNetwork(18, 24, size=8, out=6), width=6, own=own, customers=customers, rate=0.01)
    made.reset_apart(1.0)
    return made.double().eval()


@pytest.fixture(scope="module")
def fitted():
    return build_recommender("fashion-dna", SETTINGS).fit(
        before(), features(), until=shop().week(TEST), on_sale=shop().on_sale
    )


@pytest.fixture(scope="module")
def judged(fitted):
    """What was bought in the test weeks, and which articles were new or sold then."""
    names = fitted.customers
    bought = shop().purchases.between(shop().week(TEST)).of_customers(names).matrix().toarray() > 0
    return bought, shop().truth.first_week == TEST, (fitted.sold & shop().on_sale.at(shop().week(TEST)))


def test_the_loss_of_a_block_is_the_cross_entropy_of_the_cells_that_are_not_held_out():
    matrix = before().matrix().T.tocsr()
    net, rows = network(matrix.shape[1]), np.array([3, 50, 7])
    inputs = [part.double() for part in inputs_of(features())]
    block = Blocks(matrix, rows, size=3, negatives=None, seed=lambda: 0).block(rows, np.arange(matrix.shape[1]))
    weeks = torch.tensor([0.1, 0.5, 2.0]).double()
    found = net.article_vectors(inputs[0][rows], inputs[1][rows], torch.from_numpy(rows))
    weights = net.customer_weights().detach().numpy()
    odds = found.detach().numpy() @ weights[:, :-1].T + weights[:, -1] + weeks.numpy()[:, None]
    bought = matrix[rows].toarray()
    cost = np.logaddexp(0, odds) - bought * odds
    held = held_out(torch.from_numpy(rows)[:, None], torch.arange(matrix.shape[1])[None]).numpy()
    assert 0 < held.mean() < 0.1
    for which, cells in ((False, ~held), (True, held)):
        told = float(net.loss(block, found, weeks, held=which).detach())
        assert told == pytest.approx((cost * cells).sum() / 3, rel=1e-9)


def test_sampled_cells_with_their_offset_have_the_slope_of_all_cells_at_the_truth():
    """Purchases of a known law: at its parameters the gradient is 0, of all cells and of a sample alike."""
    rng = np.random.default_rng(3)
    customers, articles = 4000, 60
    matrix = sparse.csr_matrix((rng.random((articles, customers)) < 1 / (1 + np.exp(3.0))).astype("f"))
    net = network(customers, own=0)
    net.apart.data[:] = 0
    net.common.data[:] = 0
    found = torch.zeros(articles, 6).double()

    def slope(negatives, at):
        net.common.data[-1] = at
        steps = []
        for draw in range(30):
            blocks = Blocks(matrix, np.arange(articles), size=articles, negatives=negatives, seed=lambda d=draw: d)
            for block in blocks:
                net.zero_grad()
                net.loss(block, found, torch.zeros(articles).double()).backward()
                steps.append(float(net.common.grad[-1]))
        return np.mean(steps), np.std(steps) / np.sqrt(len(steps))

    rate = matrix.nnz / (articles * customers)
    truth = np.log(rate / (1 - rate))
    whole, _ = slope(None, truth)
    sampled, error = slope(400, truth)
    assert abs(whole) < 2.0
    assert abs(sampled) < 4 * error + 2.0
    wrong, _ = slope(400, truth + 1.0)
    assert wrong > 10


def test_a_convex_fit_is_the_minimum_that_scipy_finds():
    rng = np.random.default_rng(0)
    inputs, offset = rng.normal(size=(300, 5)), rng.normal(-2, 0.3, 300)
    root = np.tril(rng.normal(0, 0.5, size=(5, 5))) + np.eye(5)
    prior = NormalPrior(rng.normal(size=5), root)
    happened = rng.random((4, 300)) < 0.1
    happened[3] = False
    found = fit_logistic(inputs, sparse.csr_matrix(happened.astype(float)), offset, prior, tolerance=1e-8)
    for row, weights in zip(happened, found, strict=True):

        def cost(w, row=row):
            odds = offset + inputs @ w
            return (np.logaddexp(0, odds) - row * odds).sum() + 0.5 * (np.linalg.solve(root, w - prior.mean) ** 2).sum()

        best = minimize(cost, prior.mean, method="BFGS", options={"gtol": 1e-8})
        np.testing.assert_allclose(weights, best.x, atol=1e-4)


def test_new_and_sold_articles_are_told_apart_by_customers_and_shuffled_features_tell_nothing(fitted, judged):
    bought, new, sold = judged
    scores = fitted.score()
    told = np.nanmean(auc(scores, bought, new))
    shuffled = build_recommender("fashion-dna", {**SETTINGS, "epochs": 20}).fit(
        before(), features().shuffled(0), until=shop().week(TEST), on_sale=shop().on_sale
    )
    nothing = np.nanmean(auc(shuffled.score(), bought, new))
    assert told > 0.63
    assert nothing < 0.58
    assert np.nanmean(auc(scores, bought, sold & ~bought_before(fitted))) > 0.66


def bought_before(fitted) -> np.ndarray:
    return fitted.purchases.matrix().toarray() > 0


def test_probabilities_sum_to_what_is_bought(fitted, judged):
    bought, new, sold = judged
    scores = fitted.score()
    for cells in (np.broadcast_to(new, bought.shape), sold & ~bought_before(fitted)):
        assert scores[cells].sum() == pytest.approx(bought[cells].sum(), rel=0.35)
        odds = np.log(scores[cells] / (1 - scores[cells]))
        assert calibration_line(odds, bought[cells])[1] == pytest.approx(1, abs=0.35)


def test_a_customer_who_is_fitted_anew_is_scored_like_a_trained_one(fitted, judged):
    bought, _, sold = judged
    names = fitted.customers[:60]
    anew = fitted.score(history=before().of_customers(names))
    trained = fitted.score(names)
    among = sold & ~bought_before(fitted)[:60]
    assert np.nanmean(auc(anew, bought[:60], among)) > np.nanmean(auc(trained, bought[:60], among)) - 0.04
    assert np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(np.log(anew), np.log(trained), strict=True)]) > 0.9


def test_a_training_is_the_same_again_and_goes_on_after_a_kill(tmp_path):
    settings = {**SETTINGS, "epochs": 3}

    def scores(**how):
        model = build_recommender("fashion-dna", settings)
        return model.fit(before(), features(), on_sale=shop().on_sale, **how).score()

    whole = scores()
    assert np.array_equal(scores(checkpoints=str(tmp_path)), whole)
    # The state after the last epoch is kept: what goes on from it trains no more.
    assert list(tmp_path.glob("last-*.ckpt"))
    assert np.array_equal(scores(checkpoints=str(tmp_path)), whole)


def test_the_weeks_of_a_score_are_those_asked_for(fitted):
    assert WEEKS - TEST == fitted.config.weeks == 8
