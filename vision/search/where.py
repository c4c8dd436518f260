"""Conditions on the labels of articles: ``neck=v``, ``colour=red|blue``, ``gender!=Men``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .photo_vectors import Labels


@dataclass(frozen=True)
class Condition:
    """What the labels of an article have to say in one column.

    Arguments:
        column: the label column.
        labels: the wanted labels; one of them is enough.
        negated: whether none of them may hold instead.
    """

    column: str
    labels: tuple[str, ...]
    negated: bool = False

    @classmethod
    def read(cls, text: str, argument: str = "where") -> Condition:
        """The condition in words: ``column=label``, ``column=one|another`` or ``column!=label``.

        Arguments:
            text: the words.
            argument: by which they were given, for the message.

        Raises:
            ValueError: it is none.

        Example:
            >>> Condition.read("neck=v|round"), Condition.read("colour != red").negated
            (Condition(column='neck', labels=('v', 'round'), negated=False), True)
        """
        column, sign, wanted = text.partition("=")
        labels = tuple(label.strip() for label in wanted.split("|") if label.strip())
        negated, column = column.rstrip().endswith("!"), column.rstrip().removesuffix("!").strip()
        if not (sign and column and labels):
            raise ValueError(f"{argument}: expected column=label, column=one|another or column!=label, got {text!r}")
        return cls(column, labels, negated)

    def holds(self, labels: Labels) -> bool:
        """Whether an article with these labels meets it; one of which nothing is said meets a negated one alone.

        Example:
            >>> Condition.read("neck=v").holds({"neck": ("v",)}), Condition.read("neck!=v").holds({})
            (True, True)
        """
        return bool(set(labels.get(self.column, ())) & set(self.labels)) != self.negated


def allowed_rows(labels: Sequence[Labels], conditions: Sequence[Condition]) -> np.ndarray:
    """Which of some articles meet all conditions, bool ``[n]``.

    Raises:
        ValueError: no article has a label of such a column, or such a label in it.
    """
    for condition in conditions:
        known = {label for each in labels for label in each.get(condition.column, ())}
        if not known:
            columns = sorted({column for each in labels for column, told in each.items() if told})
            raise ValueError(f"where: expected one of the columns {columns}, got {condition.column!r}")
        if strange := [label for label in condition.labels if label not in known]:
            some = ", ".join(sorted(known)[:20])
            raise ValueError(f"where: expected labels of {condition.column} ({some}), got {strange[0]!r}")
    return np.array([all(condition.holds(each) for condition in conditions) for each in labels], dtype=bool)
