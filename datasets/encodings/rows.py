"""The columns of words of a table, row by row: what they belong to, and the numbers that stand for them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ..entries.data import ForecastData
from ..entries.entry import Entry
from .encoding import NONE, CategoryEncoding, Encoding, Role, TextEncoding
from .fitting import fitted_category, fitted_text

_SHOWN = 5
_CHARACTERS = str.maketrans("[]=@", "()--")
"""Characters that mean something in the name of a channel, or in a scenario."""

_MANY = 50
"""So many levels, each in less than `_OFTEN` rows on average, are free text."""

_OFTEN = 4


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """The numbers that stand for the words of a table.

    Arguments:
        columns: numbers by the name of their column, ``[rows]`` each, to be read as covariates are.
        names: the names of these columns, by what they belong to.
        codes: categories of each item ``[items, c]``; 0 for one that was not there in training.
        numbers: components of the texts of each item ``[items, k]``.
        items: the place of each item in these, by its name.
        encoding: how words become numbers; ``None`` where the table has no such columns.
        facts: what was done, in words, by headings.
    """

    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    names: Mapping[str, list[str]] = field(default_factory=dict)
    codes: np.ndarray | None = None
    numbers: np.ndarray | None = None
    items: Mapping[str, int] = field(default_factory=dict)
    encoding: Encoding | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def of(self, role: Role) -> list[str]:
        """The names of the columns that belong to an item and a date, a date, or an item and a date of the past."""
        return self.names.get(role, [])

    def joined_to(self, data: ForecastData) -> ForecastData:
        """The dataset whose entries have the categories and texts of their items, and know the encoding."""
        if self.encoding is None:
            return data

        def described(entry: Entry) -> Entry:
            places = [self.items[item] for item in entry.item_ids] if self.items else []
            static = {
                name: None if rows is None else rows[places]
                for name, rows in (("static_cat", self.codes), ("static_real", self.numbers))
            }
            return entry.with_(**static, encoding=self.encoding)

        return replace(
            data,
            train=[described(entry) for entry in data.train],
            test=[described(entry) for entry in data.test],
            ahead=None if data.ahead is None else described(data.ahead),
            facts={**data.facts, **self.facts},
        )


@dataclass(frozen=True)
class WordColumns:
    """The columns of words that a table has.

    Arguments:
        categories: columns of categories.
        texts: columns of free text.
        encoding: that of a table before, so that this one is read alike; ``None`` learns one from the training span.
    """

    categories: Sequence[str] = ()
    texts: Sequence[str] = ()
    encoding: Encoding | None = None

    def __post_init__(self) -> None:
        for argument in ("categories", "texts"):
            if isinstance(getattr(self, argument), str):
                got = getattr(self, argument)
                raise ValueError(f"{argument}: expected a sequence of column names, got the string {got!r}")
        if self.encoding is not None and set(self.encoding.columns) != set(map(str, self.columns)):
            known, given = (", ".join(sorted(map(str, names))) for names in (self.encoding.columns, self.columns))
            raise ValueError(f"encoding: expected categories and texts {known or 'none'} as in training, got {given}")

    @property
    def columns(self) -> list[str]:
        """All of them."""
        return [*self.categories, *self.texts]

    def roles(self, named: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """The columns of each argument that are none of the covariates named, for a check that each has one role."""
        before = {name for names in named.values() if not isinstance(names, str) for name in names}
        return {
            argument: [name for name in names if name not in before]
            for argument, names in (("categories", self.categories), ("texts", self.texts))
        }

    def left_out_of(self, names: Sequence[str]) -> list[str]:
        """Names of columns without those of words."""
        return [name for name in names if name not in self.columns]

    def encoded(
        self,
        table: pd.DataFrame,
        items: np.ndarray | None,
        dates: pd.DatetimeIndex,
        seen: np.ndarray,
        held_out: int,
        named: Mapping[Role, Sequence[str]],
    ) -> EncodedRows:
        """The numbers that stand for the words of a table.

        A column that no argument names as a covariate belongs to the items where it never changes within one, else to
        the dates where all items have the same, else to an item and a date.

        Arguments:
            table: the table.
            items: the name of the item of each row, ``[rows]``; ``None`` in a wide table.
            dates: the date of each row.
            seen: bool ``[rows]``, whether the target is known.
            held_out: dates at the end of those with a known target from which nothing is learnt.
            named: the covariates that each argument names.

        Raises:
            ValueError: a cell is neither text nor a number, a category is free text, an item has several categories
                where it had one in training.
        """
        if not self.columns:
            return EncodedRows()
        known = pd.DatetimeIndex(np.unique(dates[seen]))
        ends = len(known) - held_out
        learnt = np.asarray(dates < known[ends]) if 0 < ends < len(known) else np.asarray(dates <= dates.max())
        learnt = learnt & seen if (learnt & seen).any() else np.ones(len(table), dtype=bool)
        given = {} if self.encoding is None else {each.column: each for each in self.encoding.parts}
        found: list[CategoryEncoding | TextEncoding] = []
        columns: dict[str, np.ndarray] = {}
        names: dict[str, list[str]] = {}
        static: dict[str, list[np.ndarray]] = {"codes": [], "numbers": []}
        facts: dict[str, str] = {}
        of_items, labels = pd.factorize(np.empty(0, dtype=object) if items is None else items)
        places = pd.Index(labels)
        for column in self.columns:
            is_category = column in self.categories
            words = _words(table[column], str(column), clean=is_category)
            before = given.get(str(column))
            if before is None:
                role = _role(column, words, items, dates, named)
                groups = items if role == "static" and items is not None else np.asarray(dates)
                part, training = words[learnt], groups[learnt]
                if is_category:
                    _refuse_text(column, words)
                    before = fitted_category(str(column), role, part, training)
                else:
                    before = fitted_text(str(column), role, part)
            found.append(before)
            if isinstance(before, CategoryEncoding):
                _warn_of_new(before, words, dates)
            facts[f"{'category' if is_category else 'text'} {column}"] = _in_words(before)
            if before.role == "static":
                if items is None:
                    raise ValueError(f"categories: expected items, of which {column!r} was one in training, got none")
                one = _of_each_item(column, words, of_items, places)
                if isinstance(before, CategoryEncoding):
                    static["codes"].append(before.codes(one)[:, None])
                else:
                    static["numbers"].append(before.reduced(one))
            else:
                names.setdefault(before.role, []).extend(before.columns)
                columns |= dict(zip(before.columns, _numbers(before, words).T, strict=True))
        encoding = Encoding(
            tuple(each for each in found if isinstance(each, CategoryEncoding)),
            tuple(each for each in found if isinstance(each, TextEncoding)),
        )
        if twice := set(columns) & set(map(str, table.columns)):
            raise ValueError(f"categories: expected no column called as a level is, got {min(twice)!r}")
        whole = {name: np.concatenate(rows, axis=1) if rows else None for name, rows in static.items()}
        where = {str(item): place for place, item in enumerate(places)}
        return EncodedRows(columns, names, whole["codes"], whole["numbers"], where, encoding, facts)


def _words(cells: pd.Series, column: str, clean: bool) -> pd.Series:
    """The words in the cells of a column; of categories, so that they can be part of the name of a channel."""
    if cells.dtype.kind == "f" and (cells.dropna() % 1 == 0).all():
        cells = cells.astype("Int64")
    wrong = cells.notna() & ~cells.map(lambda cell: isinstance(cell, str | bool | int | float | np.generic))
    if wrong.any():
        row = wrong.idxmax()
        raise ValueError(f"{column!r}: expected text, got {type(cells[wrong].iloc[0]).__name__} in row {row}")
    codes, levels = pd.factorize(cells)
    told = []
    for level in levels:
        text = re.sub(r"\s+", " ", str(level)).strip()
        told.append(text.translate(_CHARACTERS) if clean else text)
    # The last one stands where a cell is empty.
    texts = np.array([(text or NONE) if clean else text for text in told] + [NONE if clean else ""], dtype=object)
    return pd.Series(texts[codes], index=cells.index)


def _role(
    column: str,
    words: pd.Series,
    items: np.ndarray | None,
    dates: pd.DatetimeIndex,
    named: Mapping[Role, Sequence[str]],
) -> Role:
    for role, names in named.items():
        if column in names:
            return role
    plain = words.to_numpy()
    if items is not None and _is_one_in_each(plain, items):
        return "static"
    return "shared" if items is None or _is_one_in_each(plain, np.asarray(dates)) else "item"


def _is_one_in_each(words: np.ndarray, groups: np.ndarray) -> bool:
    return bool((pd.Series(words).groupby(groups).nunique() <= 1).all())


def _refuse_text(column: str, words: pd.Series) -> None:
    levels = words.nunique()
    if levels > _MANY and levels * _OFTEN > len(words):
        raise ValueError(
            f"categories: expected few levels in {column!r}, got {levels} different ones in {len(words)} rows, such as "
            f"{words.iloc[0]!r}; free text is named in texts"
        )


def _warn_of_new(encoding: CategoryEncoding, words: pd.Series, dates: pd.DatetimeIndex) -> None:
    """Tell in one line what levels were not there in training."""
    new = ~encoding.is_known(words.to_numpy())
    if new.any():
        levels = list(dict.fromkeys(words[new]))
        more = f" and {len(levels) - _SHOWN} more" if len(levels) > _SHOWN else ""
        warnings.warn(
            f"categories: {encoding.column} is {', '.join(map(repr, levels[:_SHOWN]))}{more} in {int(new.sum())} rows, "
            f"the first of {dates[new].min():%Y-%m-%d}; this was not there in training and is read as 'other'",
            UserWarning,
            stacklevel=4,
        )


def _of_each_item(column: str, words: pd.Series, of: np.ndarray, items: pd.Index) -> np.ndarray:
    """The words of each item ``[items]``.

    Raises:
        ValueError: an item has several.
    """
    plain = words.to_numpy()
    first = plain[np.unique(of, return_index=True)[1]]
    wrong = np.flatnonzero(plain != first[of])
    if len(wrong):
        row = wrong[0]
        raise ValueError(
            f"categories: expected one {column!r} in all rows of an item, as in training, got {first[of[row]]!r} and "
            f"{plain[row]!r} (row {words.index[row]}) of {items[of[row]]!r}; name it in covariates, and train again"
        )
    return np.asarray(first)


def _numbers(encoding: CategoryEncoding | TextEncoding, words: pd.Series) -> np.ndarray:
    """The columns of numbers ``[rows, columns]``; each different word is looked up once."""
    codes, different = pd.factorize(words)
    read: Callable[[np.ndarray], np.ndarray] = (
        encoding.one_hot if isinstance(encoding, CategoryEncoding) else encoding.reduced
    )
    return read(np.asarray(different, dtype=object))[codes]


_OF = {"item": "item and date", "shared": "date", "past": "item and date of the past", "static": "item"}


def _in_words(encoding: CategoryEncoding | TextEncoding) -> str:
    """What `hemline data describe` says of a column."""
    of = f"of each {_OF[encoding.role]}"
    if isinstance(encoding, TextEncoding):
        return f"{of}; {len(encoding.words)} words, reduced to {len(encoding.columns)} components"
    shown = ", ".join(encoding.levels[:_SHOWN]) + (" …" if len(encoding.levels) > _SHOWN else "")
    rare = f"; {len(encoding.rare)} rare ones are 'other'" if encoding.rare else ""
    return f"{of}; {len(encoding.levels)} levels: {shown}{rare}"
