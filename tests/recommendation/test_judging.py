"""Judging by later purchases, its table and page, and the commands from end to end."""

import json

import numpy as np
import pandas as pd
import pytest
from customers import LOOKS, SEEN, SHOP, TEST, before, features, shop
from hemline import cli
from hemline.datasets.pictures.vectors import article_vectors_file
from hemline.datasets.purchases.stock import articles_in_stock
from hemline.evaluation.scores.ranking import auc
from hemline.recommendation import build_recommender, load_recommender
from hemline.recommendation.judging.judge import asked_customers, judge, judged_table
from hemline.recommendation.judging.page import judged_page
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def later():
    return shop().purchases.between(shop().week(TEST))


@pytest.fixture(scope="module")
def judged(later):
    knn = build_recommender("item-knn").fit(before(), features())
    popular = build_recommender("popularity").fit(before())
    names = asked_customers(popular, later)
    place = [int(name[1:]) for name in names]
    truth = shop().truth.expected(TEST, TEST + 8, np.array(place))
    return {
        "oracle": judge(knn, later, scores=truth),
        "item-knn": judge(knn, later),
        "popularity": judge(popular, later),
    }


def test_the_oracle_is_best_and_popularity_cannot_score_new_articles(judged):
    def mean(name, group, score):
        return np.nanmean(judged[name].by_customer[group, score])

    assert mean("oracle", "sold", "recall") > mean("item-knn", "sold", "recall")
    assert mean("oracle", "sold", "auc") > mean("popularity", "sold", "auc")
    assert mean("oracle", "new", "auc") > mean("item-knn", "new", "auc") > 0.5
    assert np.isnan(judged["popularity"].by_customer["new", "auc"]).all()
    table = str(judged_table(judged))
    row = next(line for line in table.splitlines() if line.startswith("| popularity"))
    assert row.rstrip(" |").endswith("–")
    assert "new: AUC" in table
    assert "**" in next(line for line in table.splitlines() if line.startswith("| oracle"))


def test_the_scores_are_those_of_the_arrays(later):
    fitted = build_recommender("popularity").fit(before())
    found = judge(fitted, later)
    names = list(found.customers)
    right = later.of_customers(names).matrix().toarray() > 0
    past = before().of_customers(names).matrix().toarray() > 0
    sold = before().matrix().sum(0).A1 > 0
    told = auc(fitted.score(names), right, ~past & sold)
    np.testing.assert_allclose(found.by_customer["sold", "auc"], told)


def test_what_was_learnt_from_is_no_test(later):
    fitted = build_recommender("popularity").fit(before())
    with pytest.raises(ValueError, match=r"purchases: expected purchases after .*, the last of training.*leakage"):
        judge(fitted, before())
    with pytest.raises(ValueError, match="purchases: expected purchases by customers of the recommender after"):
        judge(fitted, later.rows(np.zeros(len(later), bool)))


def test_the_page_has_the_table_and_escapes_names(judged):
    page = judged_page({"<b>": judged["oracle"], "item-knn": judged["item-knn"]})
    assert "&lt;b&gt;" in page
    assert "<b>:" not in page
    assert page.rstrip().endswith("</html>")


def test_stock_by_article_and_size(tmp_path):
    pd.DataFrame({"article": ["a1", "a1", "a2", "007"], "size": ["M", "L", "M", "M"], "stock": [0, 3, 2, 1]}).to_csv(
        tmp_path / "stock.csv", index=False
    )
    file = tmp_path / "stock.csv"
    assert articles_in_stock(file) == ("a1", "a2", "007")
    assert articles_in_stock(file, "M") == ("a2", "007")
    with pytest.raises(ValueError, match="size: expected one of the sizes L, M, got 'XS'"):
        articles_in_stock(file, "XS")
    file.write_text("article,stock\na1,\n")
    with pytest.raises(ValueError, match="stock: expected a number of units in 'stock'"):
        articles_in_stock(file)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what the commands read."""
    monkeypatch.chdir(tmp_path)
    bought = shop().purchases
    pd.DataFrame(
        {
            "customer": np.array(bought.customers)[bought.customer],
            "article": np.array(bought.item_ids)[bought.article],
            "time": bought.time,
        }
    ).to_csv("bought.csv", index=False)
    lines = [{"id": each.item_id, **{name: label[0] for name, label in each.labels.items()}} for each in SHOP.articles]
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "shop.toml").write_text(
        'table = "articles.jsonl"\nitem_id = "id"\nimages = "{id}.jpg"\nlabels = ["kind", "colour", "fit"]\n'
    )
    (tmp_path / "looks.parquet").write_bytes(article_vectors_file(SEEN, {}))
    (tmp_path / "quick.toml").write_text("width = 8\nsize = 16\nepochs = 2\n")
    pd.DataFrame({"article": ["a1", "a2", "unknown"], "stock": [3, 0, 1]}).to_csv("stock.csv", index=False)
    return tmp_path


def call(*words: str) -> str:
    if not cli.app.registered_groups:
        cli.mount()
    result = CliRunner().invoke(cli.app, ["recommend", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands_from_end_to_end(place):
    until = str(shop().week(TEST))[:10]
    learnt = ["train", "--purchases", "bought.csv", "--until", until]
    read = ["--catalogue", "shop.toml", "--vectors", "looks.parquet", "--config", "quick.toml", "--seed", "3"]
    assert "fashion-dna" in call(*learnt, *read, "--model", "fashion-dna", "--out", "dna")
    call(*learnt, "--model", "popularity", "--out", "popular")
    assert load_recommender("dna").config.seed == 3
    assert not list(place.glob("dna/*.ckpt"))
    rows = call("for", "c1", "--recommender", "dna", "-k", "3", "--out", "for.csv")
    assert len(pd.read_csv("for.csv")) == 3
    assert rows.count("c1") == 3
    told = call("for", "c1", "--recommender", "dna", "--stock", "stock.csv", "--bought")
    assert "a1" in told
    assert "1 articles of stock.csv are not known" in told
    assert len(call("similar", "a1", "--recommender", "dna", "-k", "4").splitlines()) == 4
    table = call(
        "score", "--recommender", "dna", "--recommender", "popular", "--purchases", "bought.csv", "--out", "p.html"
    )
    assert "| dna" in table
    assert "| popular" in table
    assert "data:image/png" in (place / "p.html").read_text()
    assert LOOKS.encoder not in (place / "dna" / "recommender.json").read_text()


def test_recommenders_in_folders_of_one_name_have_a_row_each(place):
    until = str(shop().week(TEST))[:10]
    learnt = ["train", "--purchases", "bought.csv", "--until", until, "--model"]
    call(*learnt, "popularity", "--out", "old/it")
    call(*learnt, "popularity-recent", "--out", "new/it")
    table = call("score", "--recommender", "old/it", "--recommender", "new/it", "--purchases", "bought.csv")
    assert "| old/it" in table
    assert "| new/it" in table
