"""CIDEr-D of captions, by hand and by what changes nothing."""

import numpy as np
import pytest
from hemline.evaluation.scores.captions import cider_d


@pytest.mark.parametrize(
    ("said", "references", "score"),
    [
        # Of two photos: "hat" stands in both and is worth nothing, "red" and "red hat" log 2; "tall" stands nowhere.
        # Words: 1 / sqrt(2) of red and tall; pairs: "red hat" of two; no longer ones. One word more than the reference.
        ("red hat tall", ["red hat"], 10 * np.exp(-1 / 72) * (2**-0.5 + 2**-0.5) / 4),
        # Said three times it counts once, and makes the caption longer: 1 of 3, two words too many, no pair.
        ("red red red", ["red"], 10 * np.exp(-4 / 72) * (3 / 9) / 4),
        # The mean over the references, one of which is said word by word (words and pairs of two lengths).
        ("red hat", ["red hat", "a shoe"], 10 * (2 / 4 + 0) / 2),
        ("hat", ["hat"], 0.0),
    ],
)
def test_cider_equals_the_formula_computed_by_hand(said: str, references: list[str], score: float) -> None:
    others = [["blue hat"]] if "red hat" in references[0] or said == "hat" else [["blue"]]
    assert cider_d([said, "blue"], [references, *others])[0] == pytest.approx(score, abs=1e-12)


def test_cider_knows_neither_the_order_of_photos_nor_of_references_and_is_largest_for_a_reference() -> None:
    rng = np.random.default_rng(0)

    def text() -> str:
        return " ".join(rng.choice([f"w{number}" for number in range(12)], rng.integers(4, 15)))

    said, references = [text() for _ in range(20)], [[text() for _ in range(3)] for _ in range(20)]
    scores, order = cider_d(said, references), rng.permutation(20)
    turned = cider_d([said[row] for row in order], [references[row][::-1] for row in order])
    assert turned == pytest.approx(scores[order], rel=1e-12)
    assert cider_d([each[0] for each in references], [each[:1] for each in references]) == pytest.approx([10.0] * 20)
    assert (scores < 10).all()
    with pytest.raises(ValueError, match="references: expected some for each of 2 captions, got 1"):
        cider_d(["a", "b"], [["a"]])
