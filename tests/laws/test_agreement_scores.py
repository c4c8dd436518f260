"""Agreement of several people: by every pair one by one, the same whatever labels are called, none by chance."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hemline.evaluation.scores.agreement import krippendorff_alpha, percent_agreement
from hypothesis import given
from hypothesis import strategies as st

ANSWERS = st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=6)


@given(ANSWERS)
def test_the_share_is_that_of_pairs_counted_one_by_one(answers):
    pairs = [one == other for told in answers for one, other in permutations(told, 2)]
    wanted = np.mean(pairs) if pairs else np.nan
    np.testing.assert_allclose(percent_agreement(answers), wanted)


@given(ANSWERS)
def test_alpha_is_one_less_the_disagreement_within_questions_over_that_across_them(answers):
    told = [each for each in answers if len(each) > 1]
    everyone = [answer for each in told for answer in each]
    across = [one != other for one, other in permutations(everyone, 2)]
    # Each question weighs as many answers as it has.
    within = [len(each) * np.mean([one != other for one, other in permutations(each, 2)]) for each in told]
    wanted = 1 - sum(within) / len(everyone) / np.mean(across) if any(across) else np.nan
    np.testing.assert_allclose(krippendorff_alpha(answers), wanted, atol=1e-12)
    renamed = [[{"a": 3, "b": 1, "c": 2}[answer] for answer in reversed(each)] for each in reversed(answers)]
    np.testing.assert_allclose(krippendorff_alpha(renamed), krippendorff_alpha(answers), atol=1e-12)


def test_people_who_answer_at_random_agree_as_often_as_by_chance():
    answers = np.random.default_rng(0).choice(["a", "b", "c"], (4000, 3), p=[0.6, 0.3, 0.1]).tolist()
    assert krippendorff_alpha(answers) == pytest.approx(0, abs=0.03)
    assert percent_agreement(answers) == pytest.approx(0.46, abs=0.02)
    assert krippendorff_alpha([[each[0]] * 3 for each in answers]) == 1
