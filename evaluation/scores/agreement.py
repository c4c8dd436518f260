"""Agreement: whether several people who judge the same things say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence


def percent_agreement(answers: Sequence[Sequence[Hashable]]) -> float:
    """Share of pairs of answers to the same question that are equal, over all questions.

    Arguments:
        answers: the answers to each question, by whomever; questions of fewer than two do not count.

    Returns:
        0…1; NaN without a pair.

    Example:
        >>> percent_agreement([["a", "a", "b"], ["c", "c"], ["a"]])
        0.5
    """
    same = pairs = 0
    for given in answers:
        counts = Counter(given)
        pairs += len(given) * (len(given) - 1)
        same += sum(count * (count - 1) for count in counts.values())
    return same / pairs if pairs else float("nan")


def krippendorff_alpha(answers: Sequence[Sequence[Hashable]]) -> float:
    """Krippendorff's alpha of nominal answers: 1 where all agree, 0 where they agree as often as by chance.

    ``1 − D_o / D_e``, the observed disagreement within questions over that of answers paired across all questions.
    Questions may have any number of answers.

    Arguments:
        answers: the answers to each question, by whomever; questions of fewer than two do not count.

    Returns:
        At most 1; NaN where nobody answered a question twice, or all answers are the same.

    Example:
        >>> krippendorff_alpha([["a", "a"], ["a", "b"], ["b", "b"]])
        0.4444444444444444

    Source: K. Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section D (nominal data, any number of
    observers, missing data).
    """
    paired = [Counter(given) for given in answers if len(given) > 1]
    totals: Counter[Hashable] = sum(paired, Counter())
    count = sum(totals.values())
    expected = count**2 - sum(each**2 for each in totals.values())
    if not expected:
        return float("nan")
    observed = 0.0
    for counts in paired:
        size = sum(counts.values())
        observed += (size**2 - sum(each**2 for each in counts.values())) / (size - 1)
    return 1 - (count - 1) * observed / expected
