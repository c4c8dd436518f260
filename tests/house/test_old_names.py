"""What version 0.1 digested is digested to the same: runs, kept members and checkpoints of before are known again."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import ForecastData, Metadata
from hemline.evaluation.old_names import SPELLED, as_before
from hemline.evaluation.runs import machine
from hemline.evaluation.runs.identity import describe, digest, fingerprint
from hemline.evaluation.runs.plan import make_protocol
from hemline.evaluation.runs.run import Run
from hemline.forecasting import EnsembleEstimator, GRUMAFEstimator, build_model
from hemline.forecasting.names import NAMES
from hemline.forecasting.training import fit, members

METADATA = Metadata("sales", "W-MON", 4, ("a", "b"), season=52)
TARGET = np.arange(80.0, dtype=np.float32).reshape(2, 40)
ENTRY = {"start": pd.Period("2024-01-01", "W-MON"), "target": TARGET}
DATA = ForecastData(METADATA, train=[ENTRY | {"target": TARGET[:, :36]}], test=[ENTRY])
# Written down from version 0.1.
DIGESTS = {
    "pool": "4e20a99ae27555e5",
    "cross-fit": "f68deae665302037",
    "analog": "7ba1bec79a67df80",
    "cold-start": "9e4aa311765bf8b4",
    "sales-maf": "82b12c7e02a4c7db",
    "sales-maf-ensemble": "c4ba08b6897262fa",
    "gru-real-nvp": "42175d68abae6a9b",
    "gru-maf": "f4097029fd220750",
    "transformer-maf": "d03e7c890248b7bd",
    "lstm-real-nvp": "9fb6a0742b8a01bb",
    "lstm-maf": "b5f93a2b5152bf2d",
    "vec-lstm-ind": "f4afbc366819c774",
    "vec-lstm-copula": "b14bc91cfc22efbb",
    "gp-scaling": "5799e89546d6cfe9",
    "gp-copula": "142a6e63d67a3efc",
    "timegrad": "c2eb696eb93e557b",
    "deepar": "ef781ce4c2797e84",
    "deepar-coupled": "813e9ba2d4e7193e",
    "var": "20ca991a04b8428b",
    "var-responding": "20ca991a04b8428b",
    "auto-ets": "71f41d971b547b07",
    "auto-arima": "6693d16d964dfb48",
    "last-value": "434978b41b6097b2",
    "seasonal-naive": "49ff1a6351a6e833",
    "random-walk": "ca203b99292ff17a",
    "random-walk-independent": "907e29e12896b2b7",
    "seasonal-walk": "fa4b404d10875e7f",
}


def test_every_old_spelling_names_a_class_that_is_there():
    assert all(place.endswith(f":{name}") for name, place in SPELLED.items())
    for name in set(SPELLED) & set(NAMES.places):
        assert NAMES.find(SPELLED[name]) is NAMES.find(name)


def test_the_old_spelling_goes_with_version_0_3():
    version = tuple(int(part) for part in machine.versions()["hemline"].split(".")[:2])
    assert version < (0, 3), "old_names.py, as_before and what reads the old spelling have done their work"


def test_all_types_are_spelled_as_before_however_deep_they_lie():
    plain = {"type": "MAF", "parts": [{"type": "Scaling"}], "own": {"type": "mine:Part", "of": "MAF"}}
    assert as_before(plain) == {
        "type": "hemline.forecasting.heads.flows:MAF",
        "parts": [{"type": "hemline.forecasting.scaling:Scaling"}],
        "own": {"type": "mine:Part", "of": "MAF"},
    }


def test_a_dataset_has_the_fingerprint_of_before():
    assert fingerprint(DATA)[:16] == "f9a62a3500e109ad"


@pytest.mark.parametrize("name", DIGESTS)
def test_the_settings_of_a_model_have_the_digest_of_before(name):
    assert digest(describe(build_model(name, METADATA)))[:16] == DIGESTS[name]


@pytest.mark.parametrize(("name", "expected"), [("pool", "7a0e49696a53e91b"), ("seasonal-naive", "f8d0572831e84c48")])
def test_a_finished_run_of_before_is_the_same_run(name, expected, monkeypatch):
    monkeypatch.setattr(machine, "versions", lambda: {"hemline": "0.1.0"})
    model = build_model(name, METADATA)
    run = Run(name, model, describe(model), DATA, fingerprint(DATA), 3, make_protocol(100, None, "expanding", "crps"))
    assert run.id == expected


def test_a_kept_member_of_before_is_the_same_training():
    model = EnsembleEstimator(GRUMAFEstimator("W-MON", 4), members=2)
    assert members._identity(model, 3, [ENTRY], None, []) == "c06c1cd93f8bc163"


def test_a_checkpoint_of_before_is_of_the_same_training():
    model = GRUMAFEstimator("W-MON", 4)
    network = SimpleNamespace(spec=None)
    assert fit.identity_of(model.train_config, model.configuration(), network, [])[:16] == "64423fdc405eec42"


def test_a_pool_that_drops_none_early_is_known_as_before_there_was_a_choice():
    pool = build_model("pool", METADATA).override({"drop_after": 1.0})
    told = as_before(pool.configuration())
    assert "drop_after" not in told
    assert as_before(pool.override({"drop_after": 0.5}).configuration()) == told | {"drop_after": 0.5}
