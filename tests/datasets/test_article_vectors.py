"""Vectors of articles beside their series, in one line, and never learnt from the weeks that are to be forecast."""

from dataclasses import replace

import numpy as np
import pytest
from hemline.datasets import join_article_vectors, read_article_vectors, simulated_sales
from hemline.datasets.pictures.vectors import ArticleVectors, article_vectors_file

DATA = simulated_sales(articles=3, weeks=104, windows=2)
ITEMS = DATA.metadata.item_ids
BEGINS = "2021-09-13"  # a Monday; the table dates weeks by their Sundays


def vectors(until: str = "", items=ITEMS) -> ArticleVectors:
    numbers = np.arange(2.0 * len(items)).reshape(len(items), 2).astype(np.float32)
    return ArticleVectors(items, numbers, np.ones(len(items), bool), "seen", until)


@pytest.fixture
def folder(tmp_path):
    """The folder of a recommender."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "vectors.parquet").write_bytes(article_vectors_file(vectors("2020-01-01T00:00:00"), {}))
    return tmp_path / "run"


def test_a_folder_a_file_and_the_vectors_themselves_give_the_same(folder):
    joined = DATA.with_article_vectors(vectors())
    assert joined.train[0].static_real.tolist() == [[0, 1, 1], [2, 3, 1], [4, 5, 1]]
    for other in (str(folder), str(folder / "vectors.parquet")):
        again = DATA.with_article_vectors(other)
        for name in ("train", "test"):
            for one, two in zip(getattr(joined, name), getattr(again, name), strict=True):
                assert np.array_equal(one.static_real, two.static_real)
    assert np.array_equal(join_article_vectors(DATA, vectors()).test[1].static_real, joined.test[1].static_real)


def test_a_file_says_until_when_its_vectors_were_learnt(folder):
    assert read_article_vectors(str(folder)).until == "2020-01-01T00:00:00"
    assert read_article_vectors(str(folder)).encoder == "seen"


def test_vectors_of_purchases_in_the_test_windows_are_leakage():
    DATA.with_article_vectors(vectors("2021-09-12T23:59:59"))
    with pytest.raises(ValueError, match=f"vectors: expected those of purchases before {BEGINS}.*would be leakage"):
        DATA.with_article_vectors(vectors(f"{BEGINS}T00:00:00"))


def test_vectors_of_other_articles_are_refused():
    with pytest.raises(ValueError, match="vectors: expected some of the items"):
        DATA.with_article_vectors(vectors(items=("x", "y")))


def test_vectors_of_designs_join_those_of_the_catalogue():
    rng = np.random.default_rng(0)
    old = ArticleVectors(("a", "b"), rng.normal(size=(2, 3)).astype(np.float32), np.array([True, False]), "net", "2024")
    new = ArticleVectors(("c",), rng.normal(size=(1, 3)).astype(np.float32), np.array([True]), "net")
    both = old.joined(new)
    assert both.item_ids == ("a", "b", "c")
    assert (both.encoder, both.until) == ("net", "2024")
    np.testing.assert_array_equal(both.features(["c", "a", "b"])[:, :3], [*new.vectors, old.vectors[0], [0, 0, 0]])
    for other in (replace(new, encoder="other"), replace(new, vectors=new.vectors[:, :2])):
        with pytest.raises(ValueError, match="others: expected 3 numbers of the encoder 'net', got"):
            old.joined(other)
    with pytest.raises(ValueError, match="item_ids: expected each once, got 'a' twice"):
        old.joined(replace(new, item_ids=("a",)))
