"""What makes one run the same as another."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from gluonts.model.seasonal_naive import SeasonalNaivePredictor
from hemline.evaluation.identity import describe, digest, fingerprint


class Colour(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Part:
    size: int = 3


class Model:
    def __init__(self, **attributes) -> None:
        self.__dict__.update(attributes)


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
        (object(), r"Model\.x: a object looks different in every process; give the model a method configuration"),
    ],
)
def test_what_looks_different_in_every_process_is_refused(value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        describe(Model(x=value))


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
