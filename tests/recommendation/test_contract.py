"""Every recommender keeps the contract: scores, filters, batches, storage, and refusals in one line."""

from dataclasses import replace

import numpy as np
import pytest
from customers import SHOP, TEST, before, features, shop
from hemline.datasets.pictures.vectors import ArticleVectors, read_article_vectors
from hemline.recommendation import build_recommender, load_recommender
from hemline.recommendation.contract import recommender
from hemline.recommendation.contract.features import article_features
from hemline.recommendation.contract.stored import save_recommender
from hemline.recommendation.registry import RECOMMENDERS

QUICK = {
    "als": {"factors": 8, "iterations": 5},
    "bpr": {"factors": 8, "iterations": 5},
    "fashion-dna": {"width": 8, "size": 16, "epochs": 2},
    "style": {"width": 8, "size": 16, "hidden": 8, "epochs": 2},
    "style-static": {"width": 8, "size": 16, "hidden": 8, "epochs": 2},
}
NAMES = sorted(RECOMMENDERS)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    if request.param in ("als", "bpr"):
        pytest.importorskip("implicit", reason="needs the extra `recommend`")
    model = build_recommender(request.param, QUICK.get(request.param))
    return model.fit(before(), features(), until=shop().week(TEST), on_sale=shop().on_sale)


def test_scores_are_finite_but_for_new_articles_of_models_that_know_none(fitted):
    scores = fitted.score()
    assert scores.shape == (len(before().customers), len(SHOP))
    bought = before().matrix().sum(0).A1 > 0
    assert np.isfinite(scores[:, bought]).all()
    assert not bought.all()
    new = scores[:, ~bought]
    assert np.isfinite(new).all() if fitted.scores_new_articles else np.isnan(new).all()


def test_batches_give_what_one_at_a_time_gives(fitted, monkeypatch):
    some = list(before().customers[5:12])
    monkeypatch.setattr(recommender, "AT_ONCE", 3)
    one = np.concatenate([fitted.score([name]) for name in some])
    np.testing.assert_allclose(fitted.score(some), one, rtol=1e-5, atol=1e-6)


def test_recommendations_are_the_best_scores_that_are_in_stock_and_not_yet_bought(fitted):
    name = before().customers[3]
    stock = [item for item in SHOP.item_ids if not item.endswith("7")]
    rows = fitted.recommend([name], 12, in_stock=stock)
    own = set(np.array(SHOP.item_ids)[before().of_customers([name]).article])
    assert not set(rows["article"]) & own
    assert set(rows["article"]) <= set(stock)
    scores = dict(zip(SHOP.item_ids, fitted.score([name])[0], strict=True))
    left = sorted((-s for i, s in scores.items() if i in stock and i not in own and np.isfinite(s)))
    np.testing.assert_allclose(rows["score"], [-s for s in left[:12]], rtol=1e-6)
    assert rows["rank"].tolist() == list(range(1, 13))
    again = fitted.recommend([name], len(SHOP), bought=True)
    assert own <= set(again["article"])


def test_a_stored_one_answers_the_same(fitted, tmp_path):
    save_recommender(fitted, str(tmp_path / "it"))
    again = load_recommender(str(tmp_path / "it"))
    assert np.array_equal(again.score(), fitted.score(), equal_nan=True)
    assert again.config == fitted.config
    vectors = tmp_path / "it" / "vectors.parquet"
    assert vectors.exists() == np.isfinite(fitted.neighbours()).all(axis=1).any()
    if vectors.exists():
        assert read_article_vectors(str(vectors)).item_ids == SHOP.item_ids


def test_similar_articles_are_those_at_the_smallest_angles(fitted):
    if not np.isfinite(fitted.neighbours()).any():
        with pytest.raises(ValueError, match="items: expected articles that the model knows something of, got 'a0'"):
            fitted.similar_items(["a0"])
        return
    rows = fitted.similar_items(["a0", "a3"], 5)
    assert rows.groupby("item")["rank"].apply(list).tolist() == [[1, 2, 3, 4, 5]] * 2
    assert "a0" not in rows[rows["item"] == "a0"]["article"].tolist()
    assert (rows.groupby("item")["score"].diff().dropna() <= 1e-6).all()
    assert rows["score"].between(-1 - 1e-5, 1 + 1e-5).all()


def test_a_new_customer_is_scored_by_what_was_bought(fitted):
    other = before(seed=1)
    renamed = other.of_customers(other.customers[:4])
    if type(fitted.config).__name__ == "Factorisation" and fitted.config.loss == "bpr":
        with pytest.raises(ValueError, match="history: expected customers of the training data for bpr, got"):
            fitted.score(history=renamed)
        return
    scores = fitted.score(history=renamed)
    assert scores.shape == (4, len(SHOP))
    assert np.isfinite(scores).any(axis=1).all()


@pytest.mark.parametrize("name", ["popularity", "fashion-dna", "style"])
def test_what_cannot_be_learnt_from_is_refused(name):
    model, bought = build_recommender(name, QUICK.get(name)), before()
    day = str(bought.time[-1])[:10]
    with pytest.raises(ValueError, match=f"until: expected purchases before {day}.*which would be leakage"):
        model.fit(bought, features(), until=day)
    with pytest.raises(ValueError, match="purchases: expected at least one purchase, got none"):
        model.fit(bought.rows(np.zeros(len(bought), bool)), features())
    few = article_features(type(SHOP)(SHOP.articles[1:], SHOP.columns))
    with pytest.raises(ValueError, match="purchases: expected articles of the catalogue, got 'a0', bought on 2023"):
        model.fit(bought, few)
    gone = bought.rows(bought.customer != 2)
    with pytest.raises(ValueError, match=f"purchases: expected a purchase of each customer.*{bought.customers[2]!r}"):
        model.fit(gone, features())


def test_features_that_are_needed_and_those_of_another_encoder_are_refused():
    with pytest.raises(ValueError, match="articles: expected features of the articles for FashionDNA, got none"):
        build_recommender("fashion-dna").fit(before())
    other = ArticleVectors(SHOP.item_ids, np.zeros((len(SHOP), 24), "f"), np.ones(len(SHOP), bool), "another")
    with pytest.raises(ValueError, match="vectors: expected those of read, as in training, got those of another"):
        article_features(SHOP, other, like=features())
    with pytest.raises(ValueError, match="vectors: expected those of read, as in training, got none"):
        article_features(SHOP, like=features())


def test_questions_that_have_no_answer_are_refused():
    fitted = build_recommender("popularity").fit(before())
    for asked, error in (
        (lambda: fitted.score(["nobody"]), "customers: expected one of the .* known ones .*, got 'nobody'"),
        (lambda: fitted.recommend(["c0"], in_stock=["new"]), "in_stock: expected one of .*, got 'new'"),
        (lambda: fitted.recommend(["c0"], 0), "n: expected a whole number from 1, got 0"),
        (lambda: fitted.score(["c0"], at="someday"), "at: expected a date such as 2024-05-31, got 'someday'"),
        (lambda: fitted.score(["c0"], at="2023-01-02"), "at: expected purchases before 2023-01-02"),
        (lambda: fitted.similar_items(["new"]), "items: expected one of .*, got 'new'"),
        (lambda: build_recommender("als2"), "model: expected one of popularity, .*, got 'als2'"),
        (lambda: build_recommender("popularity", {"days": 3}), "expected one of the settings weeks, got 'days'"),
        (lambda: load_recommender("nowhere"), "recommender: expected a folder that `hemline recommend train` wrote"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=error):
            asked()


def test_a_file_that_is_not_what_was_written_is_one_error(tmp_path):
    save_recommender(build_recommender("popularity").fit(before()), str(tmp_path / "it"))
    sign = tmp_path / "it" / "recommender.json"
    for content in ("{", "{}", '{"model": {"type": "os:system"}}', sign.read_text().replace('"Popularity"', '"Names"')):
        sign.write_text(content)
        with pytest.raises(ValueError, match="it"):
            load_recommender(str(tmp_path / "it"))


def test_nobody_asked_is_an_answer_without_rows(fitted):
    assert fitted.score([]).shape == (0, len(SHOP))
    assert fitted.recommend([]).empty


def test_vectors_of_trainings_on_other_features_or_times_have_another_name():
    """Else vectors of one space would pass for those of another."""
    bought, model = before(), build_recommender("item-knn")
    later = replace(bought, time=bought.time + np.timedelta64(1, "D"))
    names = [
        model.fit(bought, features()).encoder,
        model.fit(bought, features().only(tags=False)).encoder,
        model.fit(bought, features().shuffled(0)).encoder,
        model.fit(later, features()).encoder,
    ]
    assert len(set(names)) == 4
    assert model.fit(bought, features()).encoder == names[0]
