from __future__ import annotations

import numpy as np
import pytest
import torch
from hemline.datasets.pictures.catalogue import Article
from hemline.datasets.pictures.labels import MISSING, UNSEEN, LabelSpace, Task
from hemline.vision.classify.answers import article_table
from hemline.vision.classify.judging import _most_frequent
from hemline.vision.classify.scores import score, table
from sklearn.metrics import average_precision_score
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_f1_score,
    multilabel_f1_score,
)

TASK = Task("colour", ("red", "green", "blue"))


def answers(count: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(3), count), rng.integers(0, 3, count)


def test_f1_and_calibration_equal_those_of_torchmetrics() -> None:
    shares, codes = answers()
    found = score(TASK, shares, codes)
    said, truth = torch.from_numpy(shares), torch.from_numpy(codes)
    per_class = multiclass_f1_score(said, truth, 3, average="none").numpy()
    assert np.allclose([row["f1"] for row in found["per_class"]], per_class)
    assert found["macro_f1"] == pytest.approx(per_class.mean())
    assert found["calibration_error"] == pytest.approx(float(multiclass_calibration_error(said, truth, 3, n_bins=15)))


def test_f1_of_facets_equals_that_of_torchmetrics_over_the_answered_articles() -> None:
    rng = np.random.default_rng(0)
    shares, codes = rng.random((50, 3)), rng.integers(0, 2, (50, 3)).astype(np.float32)
    codes[10:20] = np.nan
    found = score(Task("tags", ("a", "b", "c"), facets=True), shares, codes)
    known = np.r_[0:10, 20:50]
    wanted = multilabel_f1_score(
        torch.from_numpy(shares[known]), torch.from_numpy(codes[known]).long(), 3, average="none"
    )
    assert np.allclose([row["f1"] for row in found["per_class"]], wanted.numpy())
    assert found["articles"] == 40


def test_average_precision_of_facets_equals_that_of_scikit_learn_ties_included() -> None:
    rng = np.random.default_rng(1)
    shares, codes = rng.random((60, 4)).round(1), rng.integers(0, 2, (60, 4)).astype(np.float32)
    codes[:, 3] = 0.0
    codes[10:15] = np.nan
    found = score(Task("tags", ("a", "b", "c", "d"), facets=True), shares, codes)
    known = np.r_[0:10, 15:60]
    wanted = [average_precision_score(codes[known, number], shares[known, number]) for number in range(3)]
    areas = [row["average_precision"] for row in found["per_class"]]
    assert areas[:3] == pytest.approx(wanted)
    assert areas[3] is None
    assert found["mean_average_precision"] == pytest.approx(np.mean(wanted))
    same = score(Task("tags", ("a", "b", "c", "d"), facets=True), np.full_like(shares, 0.3), codes)
    assert same["mean_average_precision"] == pytest.approx(found["prevalence"])
    assert "| mAP | prevalence |" in table({"tags": found})
    assert "mAP" not in table({"colour": score(TASK, *answers())})


def test_missing_labels_are_left_out_and_unseen_ones_count_as_errors() -> None:
    shares = np.eye(3)[[0, 1, 2, 0]]
    found = score(TASK, shares, np.array([0, 1, MISSING, UNSEEN]))
    assert found["articles"] == 3
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["confusion"][3] == [1, 0, 0]


def test_a_class_that_does_not_occur_is_left_out_of_the_macro_f1() -> None:
    found = score(TASK, np.eye(3)[[0, 1]], np.array([0, 1]))
    assert found["macro_f1"] == 1
    assert found["per_class"][2]["support"] == 0


def test_the_majority_row_answers_the_most_frequent_training_class() -> None:
    assert score(TASK, np.eye(3)[[0, 0, 0]], np.array([1, 1, 2]), majority=1)["majority"] == pytest.approx(2 / 3)


def test_the_majority_row_of_equally_frequent_classes_is_their_mean() -> None:
    tied = _most_frequent(np.array([2, 1, 0, 1, 2, -1]))
    assert tied.tolist() == [1, 2]
    assert score(TASK, np.eye(3)[[0] * 4], np.array([1, 1, 1, 0]), majority=tied)["majority"] == pytest.approx(3 / 8)


def test_a_side_without_labels_has_no_scores_and_still_a_row() -> None:
    found = {"colour": score(TASK, np.eye(3), np.full(3, MISSING))}
    assert "| colour | 0 | – |" in table(found)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the shape \(4, 3\) for task 'colour', got \(3, 3\)"):
        score(TASK, np.eye(3), np.zeros(4, dtype=np.int64))


TAGS = Task("tags", ("a", "b"), facets=True)


def test_a_facet_never_seen_in_training_counts_as_an_error() -> None:
    articles = [Article("x", labels={"tags": ("new",)}), Article("y", labels={"tags": ("b", "a")})]
    space, shares = LabelSpace((TAGS,)), np.array([[0.1, 0.1], [0.9, 0.9]])
    codes, unseen = space.encode(articles)["tags"], space.count_unseen(articles)["tags"]
    found = score(TAGS, shares, codes, np.array([True, False]), unseen)
    assert unseen.tolist() == [1, 0]
    assert found["exact"] == 0.5
    assert found["accuracy"] == pytest.approx(4 / 5)
    assert found["majority"] == pytest.approx(2 / 5)


def test_the_majority_of_facets_is_that_of_training() -> None:
    codes = np.array([[1, 0]] * 9 + [[0, 0]], dtype=np.float32)
    found = score(TAGS, np.full((10, 2), 0.1), codes, majority=np.array([False, False]))
    assert found["majority"] == pytest.approx(11 / 20)
    assert score(TAGS, np.full((10, 2), 0.1), codes)["majority"] is None


def test_a_right_answer_reads_as_the_truth_whatever_the_order_of_the_facets_in_the_table() -> None:
    articles = [Article("x", labels={"tags": ("b", "a")}), Article("y", labels={"tags": ("new", "b")})]
    told = article_table(LabelSpace((TAGS,)), articles, np.array([1, 1]), {"tags": np.array([[0.9, 0.9], [0.1, 0.9]])})
    assert told["truth"].tolist() == ["a|b", "b|new"]
    assert told["answer"].tolist() == ["a|b", "b"]
