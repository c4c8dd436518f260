"""The names by which files call classes: complete, closed, and readable as they were spelled before."""

import ast
import dataclasses
import importlib
import inspect
import json
import pkgutil
from importlib.metadata import EntryPoint
from pathlib import Path

import hemline
import hemline.evaluation
import hemline.forecasting
import pytest
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor
from hemline.evaluation.adapters.names import NAMES as OF_EVALUATION
from hemline.forecasting import MAF, GRUMAFEstimator, RandomWalkPredictor, Scaling, load_predictor
from hemline.forecasting.names import NAMES
from hemline.runtime import names as module
from hemline.runtime.names import Names, spelled
from hemline.runtime.plain import from_plain, to_plain

OURS = {name: place for name, place in NAMES.places.items() if place.startswith("hemline.")}
# Results and views, which no file holds.
NOT_STORED = {
    *("Architecture", "Composition", "WindowEstimator", "WrappingEstimator"),
    *("Ended", "PartitionWork", "Partitions", "Weighed"),
    *(
        "Cannibalisation",
        "Change",
        "Columns",
        "CountLaw",
        "Described",
        "Fit",
        "Future",
        "Futures",
        "HeldOut",
        "LowRank",
        "NamedModel",
    ),
    *(
        "LearntMoves",
        "MixtureWeights",
        "Candidates",
        "Mixtures",
        "Origins",
        "Outcome",
        "PairRow",
        "PastForecasts",
        "Reading",
        "Response",
        "Scenario",
    ),
    *("Equations", "Marginals", "Simulation", "Statistics", "Stretches", "Window", "Windows"),
}


def classes_of(room: str) -> dict[str, type]:
    package = importlib.import_module(f"hemline.{room}")
    found = {}
    for place in pkgutil.walk_packages(package.__path__, f"hemline.{room}."):
        for name, value in vars(importlib.import_module(place.name)).items():
            if inspect.isclass(value) and value.__module__ == place.name and not name.startswith("_"):
                found[name] = value
    return found


def test_every_class_that_a_file_can_hold_is_in_the_table():
    stored = {
        name
        for name, cls in classes_of("forecasting").items()
        if issubclass(cls, (Estimator, Predictor)) or (dataclasses.is_dataclass(cls) and cls.__hash__)
    }
    adapters = {name for name, cls in classes_of("evaluation").items() if issubclass(cls, (Estimator, Predictor))}
    abstract = {"FittedModel", "ForecastModel", "PlainModel", "PretrainedPredictor"}
    # What says which series add up, which a reconciled model holds.
    below = {"Hierarchy"}
    assert (stored | adapters | below) - NOT_STORED - abstract == set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_name_is_that_of_its_class(name):
    assert spelled(NAMES.find(name)) == name


def test_the_tables_are_literal():
    for room in ("evaluation/adapters", "forecasting"):
        tree = ast.parse((Path(hemline.__file__).parent / room / "names.py").read_text())
        (table,) = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "PLACES"]
        assert all(isinstance(value, ast.Constant) for value in (*table.keys, *table.values))


def test_a_name_that_is_not_in_the_table_is_refused_with_those_known():
    for name in ("Popen", "subprocess:Popen", "subprocess.Popen", "hemline.cli:main", "os:system"):
        with pytest.raises(ValueError, match=r"type: expected one of AnalogEstimator, .*, got '" + name):
            NAMES.find(name)


def test_the_table_of_a_room_does_not_hold_what_lies_above():
    with pytest.raises(ValueError, match="expected one of GroupedEstimator"):
        OF_EVALUATION.find("MAF")


@pytest.mark.parametrize("before", ["hemline.forecasting.scaling:Scaling", "hemline.forecasting.scaling.Scaling"])
def test_the_spelling_of_before_is_read(before):
    assert from_plain({"type": before, "of": "change", "lag": 7}, NAMES) == Scaling("change", lag=7)


def test_a_class_of_the_user_is_read_where_it_is_trusted():
    plain = to_plain(Own(3))
    assert plain == {"type": f"{__name__}:Own", "number": 3}
    with pytest.raises(ValueError, match="a class of your own is read where you trust it by name"):
        from_plain(plain, NAMES)
    assert from_plain(plain, NAMES.trusting(f"{__name__}:Own")) == Own(3)


def test_a_module_of_the_user_is_read_where_it_is_trusted():
    assert NAMES.trusting(__name__).find(f"{__name__}:Own") is Own
    with pytest.raises(ValueError, match="--trust module:Class"):
        NAMES.trusting(f"{__name__}:Other").find(f"{__name__}:Own")


def test_a_class_that_an_installed_package_declares_is_read(monkeypatch):
    declared = EntryPoint("own", f"{__name__}:Own", "hemline.models")
    monkeypatch.setattr(module, "entry_points", lambda group: [declared] if group == declared.group else [])
    assert from_plain(to_plain(Own(3)), NAMES) == Own(3)


def test_a_trusted_class_that_is_not_here_says_so():
    with pytest.raises(ValueError, match="cannot import 'no_such_package:Own'"):
        Names({}).trusting("no_such_package:Own").find("no_such_package:Own")


def test_a_configuration_comes_back():
    model = GRUMAFEstimator("D", 7, head=MAF(blocks=2))
    plain = json.loads(json.dumps(to_plain(model)))
    assert plain["type"] == "GRUMAFEstimator"
    assert from_plain(plain, NAMES, allowed=GRUMAFEstimator).configuration() == model.configuration()


def test_a_stored_predictor_names_its_class_and_not_its_place(tmp_path):
    RandomWalkPredictor(3, seed=5).serialize(str(tmp_path / "new" / "folder"))
    written = tmp_path / "new" / "folder"
    assert json.loads((written / "gluonts-config.json").read_text())["name"] == "RandomWalkPredictor"
    assert "hemline." not in (written / "predictor.json").read_text()
    assert load_predictor(str(written)).configuration() == RandomWalkPredictor(3, seed=5).configuration()


def test_a_naive_predictor_of_before_is_read(tmp_path):
    kind = "hemline.forecasting.naive.RandomWalkPredictor"
    (tmp_path / "gluonts-config.json").write_text(json.dumps({"model": "0.17", "gluonts": "0.17", "type": kind}))
    settings = {"prediction_length": 3, "season_length": 2, "joint": False, "seed": 5}
    before = {"__kind__": "instance", "class": kind, "args": [], "kwargs": settings}
    (tmp_path / "predictor.json").write_text(json.dumps(before))
    assert load_predictor(tmp_path).settings() == settings


def test_writing_over_a_predictor_keeps_what_else_lies_in_the_folder(tmp_path):
    (tmp_path / "dataset.json").write_text("{}")
    for seed in (1, 2):
        RandomWalkPredictor(3, seed=seed).serialize(tmp_path)
        assert load_predictor(tmp_path).seed == seed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset.json", "gluonts-config.json", "predictor.json"]


def test_a_write_that_breaks_off_leaves_no_sign_of_a_whole_predictor(tmp_path, monkeypatch):
    def fails(self, folder):
        (folder / "predictor.json").write_text("half")
        raise OSError("no room")

    RandomWalkPredictor(3, seed=1).serialize(tmp_path)
    monkeypatch.setattr(RandomWalkPredictor, "write", fails)
    with pytest.raises(OSError, match="no room"):
        RandomWalkPredictor(3, seed=2).serialize(tmp_path)
    assert load_predictor(tmp_path).seed == 1, "the old one stays while the new one is not whole"
    monkeypatch.undo()
    RandomWalkPredictor(3, seed=2).serialize(tmp_path)
    assert load_predictor(tmp_path).seed == 2


@dataclasses.dataclass(frozen=True)
class Own:
    """A configuration of somebody else."""

    number: int
