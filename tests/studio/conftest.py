"""A studio of a small shop and a run that learnt it; see `rooms.py`, which needs the extra `studio`."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from .rooms import write_shop

    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def trained(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    run = str(tmp_path_factory.mktemp("runs") / "colours")
    from .rooms import train

    train(shop, run)
    return run


@pytest.fixture
def studio(shop: Path, trained: str, tmp_path: Path):
    from hemline.studio.settings import StudioSettings

    from .rooms import opened

    made = opened(shop, trained, StudioSettings(tmp_path / "studio"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def model(trained_shortly):
    from hemline.datasets import simulated_sales

    data = simulated_sales(articles=4, weeks=120, windows=2)
    return trained_shortly("analog", data), data


@pytest.fixture(scope="session")
def network(trained_shortly, model):
    return trained_shortly("gru-maf", model[1]), model[1]


@pytest.fixture
def planner(model, network, tmp_path: Path):
    """A studio of models of series alone."""
    from hemline.studio.database.open import Database
    from hemline.studio.forecasts.shop import Shop
    from hemline.studio.settings import StudioSettings
    from hemline.studio.studio import Studio

    settings = StudioSettings(tmp_path / "planner")
    settings.folder.mkdir()
    made = Studio(
        settings,
        Database(settings.address),
        shops={"sales": Shop("sales", *model), "network": Shop("network", *network)},
    )
    yield made
    made.close()


@pytest.fixture
def browse(studio):
    """A function that logs somebody in and returns their browser."""
    from .rooms import logging_in

    return logging_in(studio)


@pytest.fixture
def plan(planner):
    """The same for the studio of a model of series."""
    from .rooms import logging_in

    return logging_in(planner)
