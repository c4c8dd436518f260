"""The named models do what is said of them, and their settings go out as TOML and come back."""

import tomllib

import pytest
from hemline.datasets import Metadata, simulated_sales
from hemline.forecasting import MODELS, Scenario, build_model, simulate
from hemline.forecasting.registry.settings_text import as_toml

SALES = simulated_sales(articles=3, weeks=90, seed=3, windows=1)
HISTORY = SALES.history(0).of_domain("real")  # whole numbers hide a small answer
FIRST = SALES.metadata.item_ids[0]
DATASETS = [
    SALES.metadata,
    Metadata("exchange_rate_nips", "B", 30, ("a", "b", "c"), season=5),
    Metadata("wiki2_daily", "D", 14, ("a", "b"), season=7, domain="positive"),
]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_answers_to_what_is_said_of_it(name, trained_shortly):
    known, model = MODELS[name], trained_shortly(name, SALES)
    for change, able in ((f"price[{FIRST}] = -30%", known.channels), (f"drop {FIRST}", known.imposes)):
        if able:
            outcome = simulate(model, HISTORY, Scenario("changed", change), paths=100)["changed"]
            moved = outcome.difference().paths.any((0, 1))
            assert moved[0]
            assert moved[1:].any() == known.others_read or change.startswith("price")
        else:
            with pytest.raises(ValueError, match=r"seen no covariates|to impose sales on|can impose"):
                simulate(model, HISTORY, Scenario("changed", change), paths=5)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_of_itself_what_the_table_says(name):
    known, model = MODELS[name], build_model(name, SALES.metadata)
    said = [getattr(model, what, False) for what in ("reads_channels", "imposes_sales", "others_answer")]
    assert said == [known.channels, known.imposes, known.others_read]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("metadata", DATASETS, ids=lambda metadata: metadata.name)
def test_settings_as_toml_make_the_same_model(name, metadata):
    model = build_model(name, metadata)
    settings = tomllib.loads(as_toml(model))
    assert model.override(settings).configuration() == model.configuration()
    assert settings or name in ("last-value", "seasonal-naive")  # and there is something to set


def test_a_setting_that_ships_for_a_dataset_is_among_them():
    settings = tomllib.loads(as_toml(build_model("gru-maf", DATASETS[1])))
    assert settings["scaling"] == {"of": "change", "lag": 1, "prior": 30}
    assert settings["train"]["max_epochs"] == 10
