"""`hemline studio`."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..forecasting.commands.options import Trust
from ..runtime.arguments.naming import check_place, check_there, naming

if TYPE_CHECKING:
    from ..datasets.entries.data import ForecastData
    from ..datasets.pictures.source import Source
    from .forecasts.shop import Shop
    from .settings import StudioSettings
    from .studio import Studio

SECRET = "HEMLINE_STUDIO_PROXY_SECRET"
"""The environment variable of what a proxy has to say: an option could be read in the list of processes."""

_OF_SALES, _OF_PHOTOS = ("date", "timestamp", "units", "prediction_length"), ("images", "photos", "facets")
"""Keys of descriptions that only those of sales have, or of photos."""


def register(app: typer.Typer, load: Callable[..., ForecastData]) -> None:
    """Add the command to `app`.

    Arguments:
        app: the root command.
        load: dataset name to dataset.
    """

    @app.command()
    def studio(
        runs: Annotated[
            list[Path],
            typer.Argument(
                metavar="RUN...",
                help="Folders of classifiers, of an index of photos, of trained models, backtests, orders and plans.",
            ),
        ],
        data: Annotated[str | None, typer.Option(help="The catalogue of the photos: see `hemline vision`.")] = None,
        dataset: Annotated[
            str | None, typer.Option(help="Series that the models go on from; those of the training if left out.")
        ] = None,
        out: Annotated[
            Path, typer.Option(help="Folder of the studio: its database, thumbnails and what is trained again.")
        ] = Path("runs/studio"),
        port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8765,
        host: Annotated[
            str, typer.Option(help="Address to answer at; others than this machine reach 0.0.0.0.")
        ] = "127.0.0.1",
        name: Annotated[
            list[str] | None, typer.Option(help="Host name under which browsers ask for it; may be repeated.")
        ] = None,
        database: Annotated[
            str | None, typer.Option(help="SQLAlchemy address, such as postgresql+psycopg://user@host/studio.")
        ] = None,
        https: Annotated[bool, typer.Option("--https", help="A proxy in front speaks TLS.")] = False,
        proxy: Annotated[
            list[str] | None,
            typer.Option(help=f"Address of a proxy that says who asks and knows ${SECRET}; may be repeated."),
        ] = None,
        invite: Annotated[
            list[str] | None,
            typer.Option(
                help="NAME:ROLE to let in (viewer, editor or admin), whose token is printed; may be repeated."
            ),
        ] = None,
        trust: Trust = None,
    ) -> None:
        """Serve pages on which people correct labels and train again, and look at forecasts and changed futures.

        Example: hemline studio runs/colours runs/sales --data shop.toml --out runs/studio
        """
        from ..runtime.run_folder import RunFolder
        from .settings import StudioSettings

        check_place("out", out, folder=True)
        for run in runs:
            if os.path.isfile(run):  # `Path.is_file` raises where a name is too long
                raise ValueError(
                    f"run: expected the folder of a model, a backtest, an order or a plan, got the file {run}; "
                    "a catalogue of photos goes by --data, sales by --dataset"
                )
            check_there("run", run, folder=True)
        settings = StudioSettings(
            out,
            database=database,
            host=host,
            port=port,
            names=tuple(name or ()),
            https=https,
            proxies=tuple(proxy or ()),
            proxy_secret=os.environ.get(SECRET, ""),
        )
        with listening_at(settings) as door, RunFolder(str(out)).alone("out", ".studio.lock"):
            opened = open_studio(settings, runs, data, dataset, load, trust or ())
            try:
                let_in(opened, invite or [])
                serve(opened, door)
            finally:
                opened.close()


def open_studio(
    settings: StudioSettings,
    runs: list[Path],
    data: str | None,
    dataset: str | None,
    load: Callable[..., ForecastData],
    trust: Sequence[str] = (),
) -> Studio:
    """A studio of some runs; a classifier that was not tested yet is tested first.

    Arguments:
        settings: how it is run.
        runs: folders of classifiers, of an index of photos, of models of series, backtests, orders and markdown plans.
        data: the catalogue of the photos.
        dataset: the series that the models go on from; those that each was trained on if ``None``.
        load: dataset name to dataset.
        trust: classes of one's own that predictors may name.

    Raises:
        ValueError: a run is none, or the catalogue is missing or another than before.
    """
    with_needed()
    # What Alembic says of its plugins, while it is imported, is not for the user of a command.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from ..datasets.pictures.source import open_source
    from ..evaluation.adapters.predictor_folder import holds_predictor
    from ..runtime.run_folder import RunFolder
    from ..vision.classify.classifier import MODEL
    from ..vision.search.index import PhotoIndex
    from ..vision.search.segments import INDEX
    from .database.open import Database
    from .forecasts.backtests import StoredBacktest, holds_backtest
    from .forecasts.decided import holds_decision
    from .labels.labelling import Labelling
    from .studio import Studio

    series = [run for run in runs if holds_predictor(run)]
    decided = [run for run in runs if holds_decision(run) and run not in series]
    indexes = [run for run in runs if RunFolder(str(run)).has(INDEX)]
    backtests = [run for run in runs if holds_backtest(run)]
    classifiers = [run for run in runs if run not in (*series, *decided, *indexes, *backtests)]
    for run in classifiers:
        if not RunFolder(str(run)).has(MODEL):
            wanted = "`hemline vision classify train`, `vision index build`, `train`, `backtest`, `order` or `plan`"
            raise ValueError(f"run: expected a folder that {wanted} wrote, got {run}")
    for kind, some in (("classifiers", classifiers), ("backtests", backtests), ("models", series)):
        for name, number in Counter(run.name for run in some).items():
            if number > 1:
                raise ValueError(f"run: expected {kind} in folders of different names, got {name!r} twice")
    if dataset is not None and not series:
        raise ValueError(f"dataset: expected none without a model of series, got {dataset}; catalogues go by --data")
    source = None
    if (photos := [*classifiers, *indexes]) and data is None:
        raise ValueError(f"data: expected the catalogue of the photos of {photos[0]}, got none")
    if len(indexes) > 1:
        raise ValueError(f"run: expected one index of photos at most, got {indexes[0]} and {indexes[1]}")
    if data is not None:
        with naming("data", data):
            try:
                source = open_source(data)
            except ValueError:
                if not _keys_of(data).isdisjoint(_OF_SALES):
                    raise ValueError(
                        f"data: expected a catalogue of photos, got sales in {data}; they go by --dataset"
                    ) from None
                raise
        _test(classifiers, source)
    # All that is only read comes first: what cannot be read leaves no folder of a studio behind.
    index = PhotoIndex.open(str(indexes[0])) if indexes else None
    past = {}
    for run in backtests:
        with naming("run", run):
            past[run.name] = StoredBacktest(run)
    shops = {run.name: _shop(run, dataset, load, trust) for run in series}
    settings.folder.mkdir(parents=True, exist_ok=True)
    with naming("database"):
        database = Database(settings.address)
    labelling = None if source is None or data is None else Labelling(source, data, database)
    planned = (*decided, *series)
    studio = Studio(settings, database, labelling, shops=shops, index=index, backtests=past, planned=planned)
    if labelling is not None:
        studio.remember_catalogue()
    for run in classifiers:
        with naming("run", run):
            studio.add_run(str(run))
    return studio


def _test(runs: list[Path], source: Source) -> None:
    from ..runtime.run_folder import RunFolder
    from ..vision.classify.judging import PROBABILITIES, evaluate_classifier
    from ..vision.commands.progress import shown_progress

    for run in runs:
        if not RunFolder(str(run)).has(PROBABILITIES):
            with shown_progress("opening photos") as progress, naming("run", run):
                evaluate_classifier(str(run), source, progress=progress)


def _shop(run: Path, dataset: str | None, load: Callable[..., ForecastData], trust: Sequence[str]) -> Shop:
    from ..evaluation.adapters.foreign import read_for
    from ..forecasting.commands.simulate import load_remembered
    from ..forecasting.models.stored import load_predictor
    from .forecasts.shop import Shop

    with naming("run", run):
        predictor = load_predictor(run, trust=trust)
    with naming("run", run) if dataset is None else naming("dataset", dataset):
        if dataset is not None and not _keys_of(dataset).isdisjoint(_OF_PHOTOS):
            raise ValueError(f"dataset: expected sales, got a catalogue of photos in {dataset}; it goes by --data")
        data = load_remembered(run, predictor, load) if dataset is None else read_for(predictor, load, dataset)
    return Shop(run.name, predictor, data)


def _keys_of(address: str) -> set[str]:
    """The keys of a description; none of what is no such file, which its reader refuses."""
    from ..runtime.toml_files import read_description

    try:
        return set(read_description(address)) if address.endswith(".toml") else set()
    except (ValueError, OSError):
        return set()


def with_needed() -> None:
    """Raise where what serves pages is not installed.

    Raises:
        ValueError: it is not.
    """
    from importlib.util import find_spec

    for package in ("fastapi", "uvicorn", "sqlalchemy", "alembic", "python_multipart", "babel", "cleanlab"):
        if find_spec(package) is None:
            raise ValueError(f"studio: expected the package {package}; install hemline with the extra 'studio'")


def let_in(studio: Studio, invited: list[str]) -> None:
    """Let people in, an admin where there is nobody yet, and print their tokens.

    Arguments:
        studio: the studio.
        invited: ``NAME:ROLE`` of each.

    Raises:
        ValueError: a role is none.
    """
    from .access.people import everybody, invite, note

    with studio.database.writing() as session:
        if not everybody(session) and not any(each.endswith(":admin") for each in invited):
            invited = ["admin:admin", *invited]
        for each in invited:
            name, _, role = each.rpartition(":")
            with naming("invite"):
                token = invite(session, name, role)
            note(session, "command line", "", "invite", f"{name} as {role}")
            typer.echo(f"Token of {name} ({role}), shown only now: {token}")


@contextmanager
def listening_at(settings: StudioSettings) -> Iterator[socket.socket]:
    """The socket at which a studio is to answer: whether it is free is known before anything is opened.

    Arguments:
        settings: host and port.

    Raises:
        ValueError: another program answers there.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with naming("port", settings.port):
            try:
                listening.bind((settings.host, settings.port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    wanted = (
                        f"expected one that is free at {settings.host}, got {settings.port}, which another program uses"
                    )
                    raise ValueError(f"port: {wanted}; try --port {settings.port + 1}, or --port 0 for any") from None
                raise
        yield listening


def serve(studio: Studio, listening: socket.socket) -> None:
    """Answer until the process is interrupted.

    Arguments:
        studio: what pages work with.
        listening: the socket of `listening_at`.
    """
    import uvicorn

    from .server import create_app

    settings = studio.settings
    config = uvicorn.Config(
        create_app(studio), log_level="warning", server_header=False, proxy_headers=False, timeout_graceful_shutdown=5
    )
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(f"The studio answers at http://{shown}:{listening.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listening])
