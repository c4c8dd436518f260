"""A studio of a small shop and a run that learnt it; see `rooms.py`, which needs the extra `studio`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def postgres(tmp_path: Path):
    """The address of an empty PostgreSQL, which refuses to run as root."""
    home = shutil.which("postgres") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))), None)
    if home is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    programs, port = Path(home).parent, free_port()
    own = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if own and subprocess.run([*own, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a user `postgres`, since PostgreSQL does not run as root")
    folder = Path(subprocess.run([*own, "mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    make = [*own, str(programs / "initdb"), "-D", str(folder), "-U", "studio", "--auth=trust", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, cwd="/")
    command = [*own, str(programs / "postgres"), "-D", str(folder), "-p", str(port), "-k", str(folder)]
    server = subprocess.Popen([*command, "-h", "127.0.0.1"], stderr=subprocess.DEVNULL, cwd="/")
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"postgresql+psycopg://studio@127.0.0.1:{port}/postgres"
    server.terminate()
    server.wait(30)
    subprocess.run([*own, "rm", "-rf", str(folder)], check=True)
