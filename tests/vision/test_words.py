"""Search by words, alone and beside photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hemline.vision.search.by_words import WordSearch, told_of
from hemline.vision.search.index import PhotoIndex
from hemline.vision.search.look_alikes import find_similar
from sklearn.feature_extraction.text import TfidfVectorizer

from .test_search import CNN, run, some
from .test_titles import text_network  # noqa: F401

TITLES = ("Blue round shirt", "Red shirt", "Blue jeans", "A belt", "Blue round shirt with a long name", "Red jeans")


@pytest.fixture
def index(tmp_path: Path) -> PhotoIndex:
    labels = [{"colour": ("black",)} if title == "A belt" else {} for title in TITLES]
    vectors = replace(some("abcdef", labels=labels), texts=TITLES)
    return PhotoIndex.write(str(tmp_path / "it"), vectors, CNN, {"axes": torch.ones(2)})


def found(index: PhotoIndex, *like: str, **asked) -> list[str]:
    return [hit.item_id for hit in find_similar(index, like, **asked)]


def test_scores_are_cosines_of_tf_idf() -> None:
    from hemline.vision.titles.hashed_terms import terms

    known = TfidfVectorizer(tokenizer=terms, lowercase=False, token_pattern=None, sublinear_tf=True)
    wanted = known.fit_transform(sorted(set(TITLES)))
    for words in ("blue shirt", "A long belt", "shirt shirt round never"):
        scores = (wanted @ known.transform([words]).T).toarray()[:, 0]
        order = [sorted(set(TITLES)).index(title) for title in TITLES]
        np.testing.assert_allclose(WordSearch(TITLES).scores(words), scores[order], atol=1e-6)


def test_what_is_said_most_exactly_comes_first(index: PhotoIndex) -> None:
    assert found(index, words="round shirt", k=1) == ["a"]
    assert found(index, words="round blue", k=2) == ["a", "e"]
    assert found(index, words="black", k=1) == ["d"]  # a label is told as well as a title
    assert found(index, words="jeans", k=2, where=["colour!=black"]) in (["c", "f"], ["f", "c"])
    assert told_of(["A blue belt"], [{"colour": ("Blue", "black")}]) == ["A blue belt black"]


def test_words_move_the_look_alikes_of_a_photo(index: PhotoIndex) -> None:
    plain = found(index, "a", k=5)
    assert found(index, "a", words="red", words_weight=1e-6, k=5) == plain
    blue = set(found(index, "a", words="red", words_weight=100.0, k=2))
    assert blue == {"b", "f"}
    hits = find_similar(index, ["a"], words="red", k=5)
    alone = {hit.item_id: hit.score for hit in find_similar(index, ["a"], k=5)}
    told = dict(zip(index.vectors.item_ids, index.words().scores("red"), strict=True))
    for hit in hits:
        assert hit.score == pytest.approx(alone[hit.item_id] + told[hit.item_id], abs=1e-5)


def test_a_network_of_words_compares_texts(index: PhotoIndex, text_network: Path) -> None:  # noqa: F811
    assert found(index, words="blue round hat", text_network=str(text_network), k=1) == ["a"]


def test_bad_words_are_one_line_each(index: PhotoIndex, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    shared = ["vision", "similar", "--index", str(tmp_path / "it")]
    for more, wanted in (
        ([], "like: expected photos, items or words, got none"),
        (["--words", " "], "words: expected words, got none"),
        (["--words", "violet"], "words: expected words of titles or labels in the index, got 'violet'"),
        (["--words", "red", "--unlike", "a"], "like: expected photos or items beside what is not wanted, got none"),
        (["a", "--words", "red", "--faiss"], "engine: expected 'exact' where words are asked for, got 'faiss'"),
        (["--words", "red", "--words-weight", "0"], "words_weight: expected"),
        (["--words", "red", "--text-network", str(tmp_path / "no")], "titles: expected 'words', a folder of weights"),
    ):
        status, _, err = run(capsys, *shared, *more)
        assert (status, len(err.strip().splitlines())) == (1, 1), err
        assert wanted in err
    status, out, _ = run(capsys, *shared, "--words", "red", "-k", "2")
    assert status == 0
    assert {line.split()[1] for line in out.splitlines()} == {"b", "f"}
