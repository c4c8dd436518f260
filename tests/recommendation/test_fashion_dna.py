"""Fashion DNA: its loss against the whole matrix, convex fits, new articles and customers, calibration."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from customers import TEST, WEEKS, N, before, features, shop
from hemline.evaluation.scores.probabilities import calibration_line
from hemline.evaluation.scores.ranking import auc
from hemline.recommendation import build_recommender, load_recommender
from hemline.recommendation.contract.article_network import ArticleNetwork, inputs_of
from hemline.recommendation.contract.convex_fit import NormalPrior, fit_logistic
from hemline.recommendation.contract.stored import save_recommender
from hemline.recommendation.fashion_dna.blocks import Blocks, held_out
from hemline.recommendation.fashion_dna.network import DNANetwork
from safetensors.numpy import load_file, save_file
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


def test_offsets_may_differ_between_regressions_and_what_could_not_happen_says_nothing():
    rng = np.random.default_rng(1)
    inputs, prior = rng.normal(size=(200, 4)), NormalPrior(rng.normal(size=4), np.eye(4))
    offset = rng.normal(-1, 1, (3, 200))
    offset[1, 50:] = -np.inf
    happened = sparse.csr_matrix((rng.random((3, 200)) < 0.2) & np.isfinite(offset)).astype(float)
    together = fit_logistic(inputs, happened, offset, prior, tolerance=1e-8)
    for number in range(3):
        there = np.isfinite(offset[number])
        alone = fit_logistic(inputs[there], happened[number][:, there], offset[number][there], prior, tolerance=1e-8)
        np.testing.assert_allclose(together[number], alone[0], atol=1e-4)


def test_the_prior_of_customers_is_wider_than_what_is_found_of_them():
    rng = np.random.default_rng(2)
    inputs, root = rng.normal(size=(400, 3)), np.diag([1.5, 1.0, 0.3])
    offset = np.full(400, -3.0)
    planted = NormalPrior(np.array([0.5, 0.0, 0.0]), root)
    true = planted.mean + rng.normal(size=(600, 3)) @ root.T
    happened = rng.random((600, 400)) < 1 / (1 + np.exp(-(offset + true @ inputs.T)))
    found = fit_logistic(inputs, sparse.csr_matrix(happened.astype(float)), offset, NormalPrior(planted.mean, root / 2))
    plain, learnt = NormalPrior.of(found, ridge=0.0), NormalPrior.learnt(found, inputs, offset)
    size = [np.trace(each.root @ each.root.T) for each in (planted, plain, learnt)]
    assert size[1] < size[2] <= 1.1 * size[0]
    assert abs(size[2] - size[0]) < abs(size[1] - size[0])


def test_what_was_gone_before_a_new_customer_came_says_nothing_of_their_taste(fitted):
    late = fitted.purchases.time[-1] - np.timedelta64(20, "D")
    who = fitted.customers[int(np.bincount(fitted.purchases.customer[fitted.purchases.time > late]).argmax())]
    history = fitted.purchases.of_customers([who]).between(late)
    gone = np.flatnonzero(fitted.sold)[:40]
    gone = gone[~np.isin(gone, history.article)]
    before = fitted.on_sale.copy()
    before[1, gone] = before[0, gone] + 1  # sold for a second, long ago
    before[0, gone] -= 10**8
    before[1, gone] -= 10**8
    sold = fitted.sold.copy()
    sold[gone] = False
    one = replace(fitted, on_sale=before).new_customers(history)
    prior = NormalPrior.learnt(
        fitted.weights,
        np.column_stack([fitted.vectors, np.ones(len(sold))])[fitted.sold].astype(float),
        fitted.log_weeks[fitted.sold].astype(float),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NormalPrior, "learnt", lambda *_: prior)
        without = replace(fitted, sold=sold).new_customers(history)
    np.testing.assert_allclose(one, without, atol=5e-3)
    assert np.abs(one - fitted.new_customers(history)).max() > 0.01


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


@pytest.mark.parametrize("name", ["vectors", "weights", "sold", "log_weeks", "on_sale", "lines"])
def test_a_folder_whose_numbers_do_not_fit_is_refused_in_one_line(fitted, tmp_path, name):
    save_recommender(fitted, str(tmp_path / "dna"))
    file = tmp_path / "dna" / "model.safetensors"
    arrays = load_file(file)
    save_file({**arrays, name: arrays[name][:-1].copy()}, file)
    with pytest.raises(
        ValueError, match=r"recommender: cannot read .*: model.safetensors: expected \w+ \[.*\], got \["
    ):
        load_recommender(str(tmp_path / "dna"))
    save_file({key: value for key, value in arrays.items() if key != name}, file)
    with pytest.raises(ValueError, match=f"recommender: cannot read .*'?{name}"):
        load_recommender(str(tmp_path / "dna"))


def test_customers_who_left_nothing_are_refused():
    """One customer has bought all that was sold: every probability would be 1, of new articles too."""
    one = before().of_customers(before().customers[:1])
    with pytest.raises(ValueError, match=r"purchases: expected customers who left some articles, got 1 with a pur"):
        build_recommender("fashion-dna", {"width": 8, "size": 16, "epochs": 2}).fit(one, features())
