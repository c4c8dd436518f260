"""Files never name code: whatever stands in a folder, nothing is imported or called that is not in the tables."""

from __future__ import annotations

import ast
import contextlib
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import hemline
import pytest
import torch
from hemline.datasets import get_dataset
from hemline.evaluation import read_grid
from hemline.evaluation.adapters.gluonts.names import ESTIMATORS
from hemline.evaluation.adapters.predictor_folder import Trained, remember_training
from hemline.forecasting import build_model, load_predictor
from hemline.forecasting.commands.train import _update
from plain_data import places, replaced

ROOT = Path(hemline.__file__).parent
STORED = Path(__file__).parents[1] / "house" / "golden" / "stored"
KINDS = sorted(path.name for path in (STORED / "predictors").iterdir())
"""Folders of trained models of every class, nested ones among them."""


def payloads(marker: Path) -> list[Any]:
    """Values that run code where somebody looks up what they name, or calls it."""
    code = f"import pathlib; pathlib.Path({str(marker)!r}).touch()"
    timeit = {"__kind__": "type", "class": "timeit"}
    run = {"__kind__": "instance", "class": "builtins.getattr", "args": [timeit, "timeit"]}
    return [
        {"__kind__": "instance", "class": "functools.partial", "args": [run, "0", code]},
        {"__kind__": "instance", "class": "subprocess.Popen", "args": [["touch", str(marker)]]},
        {"__kind__": "instance", "class": "builtins.exec", "args": [code]},
        {"__kind__": "instance", "class": "attacking.Thing", "kwargs": {"prediction_length": 1}},
        {"__kind__": "type", "class": "attacking.Thing"},
        {"__kind__": "stateful", "class": "attacking.Thing", "kwargs": {}},
        {"type": "attacking:Thing", "prediction_length": 1},
        {"type": "attacking.Thing"},
        {"type": "subprocess:Popen", "args": ["touch", str(marker)]},
    ]


def is_refused_or_harmless(folder: Path, sales: Any, ran: Path, trust: tuple[str, ...] = ()) -> bool:
    """Load and forecast; whether it was refused, in one line that names the folder."""
    error = None
    try:
        predictor = load_predictor(folder, trust=trust)
    except (ValueError, OSError) as raised:
        error = str(raised)
    else:
        with contextlib.suppress(Exception):
            next(iter(predictor.predict([sales.history(0)], num_samples=2)))
    assert not ran.exists(), "code of the file ran"
    assert error is None or (str(folder) in error and "\n" not in error), error
    return error is not None


@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize("name", ["gluonts-config.json", "predictor.json"])
def test_a_file_that_is_a_payload_as_a_whole(stored, sales, ran, name, number):
    for kind in ("random-walk", "gru-maf"):
        folder = stored(kind)
        (folder / name).write_text(json.dumps(payloads(ran)[number]))
        assert is_refused_or_harmless(folder, sales, ran)


@pytest.mark.parametrize("kind", KINDS)
def test_payloads_in_the_place_of_any_value(stored, sales, ran, kind):
    attack(stored(kind), sales, ran, 12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_payloads_in_the_place_of_every_value(stored, sales, ran, kind):
    attack(stored(kind), sales, ran, 400)


def attack(folder: Path, sales: Any, ran: Path, count: int) -> None:
    files = sorted(folder.rglob("*.json"))
    whole = {file: json.loads(file.read_text()) for file in files}
    everywhere = [(file, where) for file in files for where in places(whole[file])]
    chance = random.Random(0)
    for file, where in chance.sample(everywhere, min(count, len(everywhere))):
        file.write_text(json.dumps(replaced(whole[file], where, chance.choice(payloads(ran)))))
        is_refused_or_harmless(folder, sales, ran)
        file.write_text(json.dumps(whole[file]))


@pytest.mark.parametrize("name", ["attacking.Thing", "attacking:Thing", "subprocess.Popen", "hemline.cli.main"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_class_in_the_sign_of_every_nested_predictor(stored, sales, ran, kind, name):
    folder = stored(kind)
    for sign in folder.rglob("gluonts-config.json"):
        before = sign.read_text()
        sign.write_text(json.dumps({"model": "1", "gluonts": "1", "type": name, "name": name}))
        assert is_refused_or_harmless(folder, sales, ran)
        sign.write_text(before)


def test_the_type_file_of_old_gluonts_is_no_predictor(stored, sales, ran):
    folder = stored("random-walk")
    (folder / "gluonts-config.json").unlink()
    (folder / "type.txt").write_text("attacking.Thing")
    assert is_refused_or_harmless(folder, sales, ran)


def seasonal(folder: Path, season: Any) -> None:
    """A folder as gluonts writes a predictor that calls its season if it can be called."""
    kind = "gluonts.model.seasonal_naive._predictor.SeasonalNaivePredictor"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gluonts-config.json").write_text(json.dumps({"model": "1", "gluonts": "1", "type": kind}))
    arguments = {"prediction_length": 8, "season_length": season}
    (folder / "predictor.json").write_text(json.dumps({"__kind__": "instance", "class": kind, "kwargs": arguments}))


@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize("nested", ["", "univariate"])
def test_arguments_of_a_permitted_predictor_of_gluonts(tmp_path, stored, sales, ran, nested, number):
    folder = stored("feed-forward") if nested else tmp_path / "evil"
    for file in (folder / nested).glob("*"):
        file.unlink()
    seasonal(folder / nested, payloads(ran)[number])
    assert is_refused_or_harmless(folder, sales, ran)


def test_plain_arguments_of_a_permitted_predictor_are_read(tmp_path):
    seasonal(tmp_path / "plain", 4)
    assert load_predictor(tmp_path / "plain").season_length == 4


class Touch:
    """An object whose pickle runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.call, (["touch", str(self.path)],)


@pytest.mark.parametrize("write", [torch.save, lambda made, file: file.write_bytes(pickle.dumps(made))])
def test_weights_that_are_a_pickle(stored, sales, ran, write):
    folder = stored("feed-forward")
    for weights in (folder / "univariate").glob("*.pt"):
        write({"a": Touch(ran)}, weights)
    assert is_refused_or_harmless(folder, sales, ran)


def test_a_trusted_class_does_not_vouch_for_what_its_file_names(tmp_path, sales, ran, monkeypatch):
    folder = tmp_path / "trusted"
    (tmp_path / "code" / "own_naive.py").write_text(
        "from gluonts.core.component import validated\n"
        "from gluonts.model.seasonal_naive import SeasonalNaivePredictor\n\n\n"
        "class Own(SeasonalNaivePredictor):\n"
        "    @validated()\n"
        "    def __init__(self, prediction_length: int, season_length):\n"
        "        super().__init__(prediction_length, season_length=season_length)\n"
    )
    for payload in (*payloads(ran), 4):
        seasonal(folder, payload)
        for file in folder.iterdir():
            file.write_text(
                file.read_text()
                .replace("gluonts.model.seasonal_naive._predictor.SeasonalNaive", "own_naive.")
                .replace("own_naive.Predictor", "own_naive.Own")
            )
        assert is_refused_or_harmless(folder, sales, ran, ("own_naive:Own",)) == (payload != 4)


GRID = 'out = "runs"\ndatasets = ["simulated_sales"]\nmodels = ["random-walk", "{model}"]\n'


@pytest.mark.parametrize(
    "model", ["attacking:build", "subprocess:Popen", "os:system", "hemline.cli:main", "gluonts.torch:modules"]
)
def test_the_file_of_a_grid_names_no_code(tmp_path, ran, model):
    (tmp_path / "grid.toml").write_text(GRID.format(model=model))
    with pytest.raises(ValueError, match=f"models: '{model}' is code that the file names; .* --trust {model}"):
        read_grid(tmp_path / "grid.toml")
    assert not ran.exists()
    trusted = read_grid(tmp_path / "grid.toml", trust=[model])
    assert trusted.parts[0].models == ("random-walk", model)


def test_the_file_of_a_grid_may_name_the_estimators_of_gluonts(tmp_path):
    (tmp_path / "grid.toml").write_text(GRID.format(model="gluonts.torch:TiDEEstimator"))
    assert read_grid(tmp_path / "grid.toml").parts[0].models[1] == "gluonts.torch:TiDEEstimator"


def test_a_table_run_trusts_what_the_command_names(tmp_path, ran):
    (tmp_path / "grid.toml").write_text(GRID.format(model="attacking:build"))
    words = [sys.executable, "-m", "hemline", "table", "--run", "grid.toml"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "hemline: grid.toml: models: 'attacking:build' is code that the file names; if you trust it, say so: "
        "--trust attacking:build, in Python trust=['attacking:build']\n"
    )


@pytest.mark.parametrize("model", ["attacking:build", "subprocess:Popen", "os:system"])
def test_a_training_that_goes_on_runs_no_code_that_its_folder_names(stored, ran, model):
    folder = stored("gru-maf")
    remember_training(folder, Trained("simulated_sales", model, {}, 0, False))
    with pytest.raises(ValueError, match=f"names '{model}', which is code; if you trust it, say so: --trust {model}"):
        _update(folder, None, folder, get_dataset, False)
    assert not ran.exists()


UNPICKLE_OR_EVALUATE = {
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "torch.load", "np.load", "pd.read_pickle", "joblib.load"),
    *("load_json", "decode", "locate", "eval", "exec", "compile", "Predictor.deserialize"),
}


def test_no_line_of_the_library_unpickles_or_evaluates():
    """Apart from what a worker is sent by the process that started it."""
    found = []
    for room in ("runtime", "datasets", "evaluation", "forecasting", "vision", "studio"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                text, given = ast.unparse(node.func), {each.arg: ast.unparse(each.value) for each in node.keywords}
                safe = text == "torch.load" and given.get("weights_only") == "True"
                if "allow_pickle" in given or (text in UNPICKLE_OR_EVALUATE and not safe):
                    found.append(f"{file.relative_to(ROOT)}: {text}")
                if text.endswith("load_from_checkpoint"):
                    found.append(f"{file.relative_to(ROOT)}: {text}")
    assert set(found) == {"evaluation/execution/workers.py: pickle.loads"}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # gluonts, of padded windows
def test_every_torch_model_of_gluonts_is_read_again(tmp_path, sales):
    settings: dict[str, Any] = {"num_batches_per_epoch": 2, "trainer_kwargs": {"max_epochs": 1}, "context_length": 8}
    own: dict[str, dict[str, Any]] = {
        "PatchTSTEstimator": {"patch_len": 4},
        "WaveNetEstimator": {"num_batches_per_epoch": 2, "trainer_kwargs": {"max_epochs": 1}},
    }
    for name in (estimator.partition(":")[2] for estimator in ESTIMATORS):
        chosen = own.get(name, {})
        model = build_model(
            f"gluonts.torch:{name}", sales.metadata, chosen if "num_batches_per_epoch" in chosen else settings | chosen
        )
        predictor = model.train(sales.train)
        predictor.serialize(tmp_path / name)
        again = load_predictor(tmp_path / name)
        first, second = (
            next(iter(each.predict([sales.history(0)], num_samples=3, seed=1))).samples for each in (predictor, again)
        )
        assert (first == second).all(), name
