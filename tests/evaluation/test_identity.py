"""What makes one run the same as another."""

from __future__ import annotations

import enum
import functools
import re
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from gluonts.model.seasonal_naive import SeasonalNaivePredictor
from hemline.evaluation.runs.identity import describe, digest, fingerprint


class Colour(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Part:
    size: int = 3


class Model:
    def __init__(self, **attributes) -> None:
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def __repr__(self) -> str:
        return "Slotted()"


class Derived(Slotted):
    pass


class Opaque(BaseException):
    """Holds something in compiled code that it gives to no one."""

    def __reduce_ex__(self, protocol: int):  # type: ignore[override]
        raise TypeError("cannot pickle this")


class Named(dict):
    pass


def named(**attributes) -> Named:
    found = Named(a=1)
    found.__dict__.update(attributes)
    return found


def other_in_the_middle(length: int = 2000) -> np.ndarray:
    values = np.arange(float(length))
    values[length // 2] = -1
    return values


def square(x: float) -> float:
    return x * x


VALUES = {
    "weights": (torch.ones(3), torch.ones(3) + 1e-7),
    "low precision": (torch.ones(3, dtype=torch.bfloat16), torch.zeros(3, dtype=torch.bfloat16)),
    "array": (np.arange(3), np.arange(3.0)),
    "layer": (torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)),
    "part": (Part(), Part(4)),
    "enum": (Colour.RED, "RED"),
    "set": ({1, 2, 3}, {1, 2}),
    "nested": ({"a": [1, (2, None)]}, {"a": [1, (2, True)]}),
    "path": (Path("a"), Path("b")),
    "period": (pd.Period("2024-01", "M"), pd.Period("2024-02", "M")),
    "function": (square, functools.partial(square, 2.0)),
    "method": (Part(1).__eq__, Part(2).__eq__),
    "number": (np.float64(0.5), 0.25),
    "class": (Part, Model),
    "duration": (pd.Timedelta("1D"), pd.Timedelta("30D")),
    "numpy duration": (np.timedelta64(1, "M"), np.timedelta64(1, "Y")),
    "period's frequency": (pd.Period("2024-01-01 00:00", "h"), pd.Period("2024-01-01 00:00", "min")),
    "categories": (pd.Categorical(["a", "b"]), pd.Categorical(["a", "c"])),
    "series": (pd.Series([1, 2]), pd.Series([1, 3])),
    "frame": (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})),
    "index": (pd.date_range("2024", periods=3), pd.date_range("2025", periods=3)),
    "arrow": (pa.table({"a": np.arange(2000.0)}), pa.table({"a": other_in_the_middle()})),
    "objects": (np.arange(2000.0).astype(object), other_in_the_middle().astype(object)),
    "deque": (deque([np.arange(2000.0)]), deque([other_in_the_middle()])),
    "mask": (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[0, 0])),
    "slots": (Slotted(1), Slotted(2)),
    "slots of a base": (Derived(1), Derived(2)),
    "attributes of a dict": (named(extra=1), named(extra=2)),
    "long pattern": (re.compile("a" * 300 + "b"), re.compile("a" * 300 + "c")),
}


@pytest.mark.parametrize("name", VALUES)
def test_other_settings_are_told_apart_and_the_same_are_not(name: str) -> None:
    one, other = VALUES[name]
    assert digest(describe(Model(x=one))) == digest(describe(Model(x=one)))
    assert digest(describe(Model(x=one))) != digest(describe(Model(x=other)))


def test_gluonts_objects_are_described_by_their_arguments() -> None:
    described = describe(SeasonalNaivePredictor(3, season_length=7))
    assert described["season_length"] == 7
    assert described["type"].endswith(":SeasonalNaivePredictor")


def test_a_subclass_with_settings_of_its_own_is_described_by_them() -> None:
    class Own(SeasonalNaivePredictor):
        def __init__(self, factor: float) -> None:
            super().__init__(3, season_length=7)
            self.factor = factor

    assert digest(describe(Own(1.0))) != digest(describe(Own(2.0)))


def test_a_model_may_speak_for_itself() -> None:
    class Speaks:
        secret = object()

        def configuration(self) -> dict:
            return {"size": 3, "parts": (1, 2)}

    assert describe(Speaks()) == {"size": 3, "parts": [1, 2]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda x: x, r"Model\.x: a function defined inside another looks different in every process"),
        (np.random.default_rng(0).__reduce__, "looks different in every process"),
        (np.random.default_rng(0), r"Model\.x: a Generator looks different in every process"),
        (Opaque(), r"Model\.x: a Opaque does not show what it holds \(cannot pickle"),
        (object(), r"Model\.x: a object looks different in every process; give the model a method configuration"),
    ],
)
def test_what_looks_different_in_every_process_is_refused(value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        describe(Model(x=value))


def test_what_pandas_remembers_of_an_index_is_no_setting() -> None:
    index = pd.Index(["a", "b"])
    before = describe(Model(x=index))
    assert index.is_unique
    assert "a" in index
    assert describe(Model(x=index)) == before


def test_the_ids_of_finished_runs_stay_as_they_were(data) -> None:
    assert fingerprint(data)[:16] == "48e520587ffaf1db"
    assert digest(describe(SeasonalNaivePredictor(3, season_length=7)))[:16] == "25c73c9d059b0798"


def test_a_circle_of_attributes_is_refused() -> None:
    model = Model()
    model.itself = model
    with pytest.raises(ValueError, match="its attributes refer to each other in a circle"):
        describe(model)


def test_the_fingerprint_of_data_sees_every_number_and_name(data) -> None:
    before = fingerprint(data)
    assert fingerprint(replace(data)) == before
    assert fingerprint(replace(data, metadata=replace(data.metadata, season=8))) != before
    test = [dict(entry) for entry in data.test]
    test[1]["target"] = test[1]["target"].copy()
    test[1]["target"][0, 0] += 1e-3
    assert fingerprint(replace(data, test=test)) != before
