"""`hemline simulate`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.devices import torch_device
from ...runtime.display.numbers import figure, percent
from ...runtime.quiet import own_filters
from ...runtime.texts import spreadsheet_cells
from .options import Device, Trust

if TYPE_CHECKING:
    from gluonts.model.predictor import Predictor

    from ...datasets.entries.data import ForecastData
    from ...datasets.entries.entry import Entry
    from ..scenarios.cannibalisation import Cannibalisation
    from ..scenarios.outcome import Outcome, Simulation
    from ..scenarios.scenario import Scenario

MATRIX = 12


def register(app: typer.Typer, load: Callable[..., ForecastData]) -> None:
    """Add the command to `app`.

    Arguments:
        app: the root command.
        load: dataset name to dataset.
    """

    @app.command("simulate")
    def command(
        predictor: Annotated[Path, typer.Option(help="Folder that `hemline train` wrote.")],
        articles: Annotated[str, typer.Option(help="Two articles, such as A,B: the one that changes comes first.")],
        out: Annotated[Path, typer.Option(help="Folder for pictures, page and tables.")],
        set_: Annotated[
            list[str] | None,
            typer.Option("--set", help="A change, such as 'price[A] = -20% @ 2:4'; may be given several times."),
        ] = None,
        scenario: Annotated[Path | None, typer.Option(help="TOML file of scenarios, see docs/scenarios.md.")] = None,
        dataset: Annotated[
            str | None, typer.Option(help="Dataset to continue; that of the training if left out.")
        ] = None,
        window: Annotated[
            int | None,
            typer.Option(
                help="Test window to simulate, 0 the first, -1 the last; if left out, the time after the data where "
                "its channels are known, else the last window."
            ),
        ] = None,
        paths: Annotated[int, typer.Option(min=1, help="Joint sample paths of each future.")] = 1000,
        seed: Annotated[int, typer.Option(min=0, help="Seed of the draws, which all futures share.")] = 0,
        ask: Annotated[
            list[str] | None, typer.Option(help="A question, such as 'units[A] + units[B] < 500'; may be repeated.")
        ] = None,
        device: Device = "auto",
        trust: Trust = None,
    ) -> None:
        """Simulate changed futures and show what they do to a pair of articles.

        Example: hemline simulate --predictor runs/sales --articles A,B --set 'price[A]=-20%@2:4' --out runs/markdown
        """
        check_place("out", out, folder=True)
        check_there("predictor", predictor, folder=True)
        torch_device(device)
        import pandas as pd

        from ...evaluation.adapters.foreign import read_for
        from ..models.stored import load_predictor
        from ..scenarios.cannibalisation import cannibalisation
        from ..scenarios.simulate import simulate

        chosen = gather_scenarios(set_ or [], scenario)
        with naming("predictor", predictor):
            trained = load_predictor(predictor, device=device, trust=trust or ())
        with naming("predictor", predictor) if not dataset else naming("dataset", dataset):
            data = read_for(trained, load, dataset) if dataset else load_remembered(predictor, trained, load)
        number = chosen_window(data, window)
        with naming("window", window):
            history = data.history(number)
        there = history.item_ids or data.metadata.item_ids  # those that have ended are not
        pair = pair_of(articles, there)
        with own_filters():
            # Said below, beside the scenario that it is of.
            warnings.filterwarnings("ignore", message="(covariates|sales): .*never seen")
            outcomes = simulate(trained, history, chosen, paths=paths, seed=seed)
        answers = []
        for question in ask or []:
            with naming("ask", question):
                shares = {name: outcomes[name].probability(question) for name in outcomes}
            answers += [f"{question}: {percent(share, 1)} of the paths ({name})" for name, share in shares.items()]
        effects = None
        if outcomes.baseline.money is not None:
            shown = matrix_articles(pair, there)
            effects = cannibalisation(trained, history, shown, paths=min(paths, 300), seed=seed)
        write_outcomes(outcomes, pair, out, effects, None if number is None else data.test[number])
        typer.echo(in_words(outcomes.baseline, number, window))
        for each in chosen:
            typer.echo(each.words())
            for sentence in outcomes.unseen[each.name]:
                typer.echo(f"  {sentence}")
            change = outcomes[each.name].difference()
            for article in pair:
                units = pd.Series(change.units(article))
                ends = units.quantile([0.05, 0.95])
                mean, low, high = (figure(float(value), 1, sign=True) for value in (units.mean(), *ends))
                typer.echo(f"  {article}: {mean} units, 90 % {low} to {high}")
        for answer in answers:
            typer.echo(answer)
        typer.echo(f"Pictures, page and tables lie in {out}")


def load_remembered(folder: Path, predictor: Predictor, load: Callable[..., ForecastData]) -> ForecastData:
    """The dataset that the predictor of a folder was trained on, as far as it is on this machine.

    Raises:
        ValueError: the folder does not say which it is, or it would have to be fetched.
    """
    from ...evaluation.adapters.foreign import read_for
    from ...evaluation.adapters.predictor_folder import remembered_dataset
    from ...runtime.reading.places import without_network

    name = remembered_dataset(folder)
    with without_network(f"{folder} remembers {name!r}; pass --dataset {name} if it is to be fetched"):
        return read_for(predictor, load, name)


def chosen_window(data: ForecastData, window: int | None) -> int | None:
    """The number of the test window to simulate; ``None`` for the time after the data. One that is not there stays."""
    known_ahead = data.ahead is not None and data.ahead.channels.length > data.ahead.length
    if window is None and (known_ahead or not data.test or not data.metadata.covariates):
        return None
    window = -1 if window is None else window
    return len(data.test) + window if -len(data.test) <= window < 0 else window


def in_words(baseline: Outcome, number: int | None, asked: int | None) -> str:
    """Which dates were simulated, and why these.

    Arguments:
        baseline: the planned future.
        number: of the test window, ``None`` for the time after the data.
        asked: what the caller asked for.
    """
    dates = baseline.dates
    window = "after the data" if number is None else f"test window {number}"
    why = "" if number is None or asked is not None else ", the last: no channels are known after the data"
    return f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}, {window}{why}"


def gather_scenarios(changes: Sequence[str], file: Path | None) -> list[Scenario]:
    """The scenarios of a command: one of the given changes, and those of a file.

    Raises:
        ValueError: there is none, or one cannot be read.
    """
    from ..scenarios.scenario import Scenario, read_scenarios

    with naming("set"):
        chosen = [Scenario("scenario", changes)] if changes else []
    if file is not None:
        with naming("scenario", file):
            chosen += read_scenarios(file)
    if not chosen:
        raise ValueError(
            "set: expected a change, as in --set 'price[A]=-20%@2:4', or --scenario FILE.toml; got neither"
        )
    return chosen


def pair_of(articles: str, known: Sequence[str]) -> tuple[str, str]:
    """Two articles of the dataset, whose names may hold commas of their own.

    Raises:
        ValueError: not two, or one is unknown, or the text can be read in two ways.

    Example:
        >>> pair_of("coat, long,hat", ["coat, long", "hat"])
        ('coat, long', 'hat')
    """
    from ..scenarios.future import some

    parts = articles.split(",")
    halves = [(",".join(parts[:at]).strip(), ",".join(parts[at:]).strip()) for at in range(1, len(parts))]
    pairs = [pair for pair in halves if set(pair) <= set(known)]
    if len(pairs) > 1:
        raise ValueError(f"articles: expected a text that can be read in one way, got {articles!r}")
    unknown = articles if len(halves) > 1 else next((part.strip() for part in parts if part.strip() not in known), None)
    if not pairs and unknown is not None:
        raise ValueError(f"articles: expected two of {some(known)}; got {unknown!r}")
    if not pairs or pairs[0][0] == pairs[0][1]:
        raise ValueError(f"articles: expected two different articles, as in A,B; got {articles!r}")
    return pairs[0]


def matrix_articles(pair: Sequence[str], known: Sequence[str]) -> list[str]:
    """The articles of the cannibalisation matrix: all of a small assortment, else the pair and its neighbours."""
    if len(known) <= MATRIX:
        return list(known)
    middle = list(known).index(pair[0])
    first = min(max(0, middle - MATRIX // 2), len(known) - MATRIX)
    shown = list(known[first : first + MATRIX])
    return shown if pair[1] in shown else [*shown[:-1], pair[1]]


def write_outcomes(
    outcomes: Simulation, pair: tuple[str, str], out: Path, effects: Cannibalisation | None, actual: Entry | None
) -> None:
    """Write the pair view of each scenario, in folders of their own where there are several, and a table of all.

    Raises:
        FileExistsError: `out` is a file.
    """
    import pandas as pd
    from gluonts.model.forecast import SampleForecast

    from ...runtime.whole_files import whole_file
    from ..paths.table import forecast_frame
    from ..scenarios.pair_page import write_pair_view

    names = [scenario.name for scenario in outcomes.scenarios]
    for name, folder in zip(names, folders_of(names), strict=True):
        write_pair_view(outcomes, name, pair, out if len(names) == 1 else out / folder, effects, actual)
    frames = []
    for name, outcome in outcomes.items():
        drawn = SampleForecast(samples=outcome.paths, start_date=outcome.start)
        frames.append(forecast_frame(drawn, outcome.item_ids).assign(future=name))
    with whole_file(out / "forecasts.csv") as aside:
        spreadsheet_cells(pd.concat(frames)).to_csv(aside, index=False, float_format="%.10g")
    with whole_file(out / "scenarios.toml") as aside:
        aside.write_text("\n\n".join(each.to_toml() for each in outcomes.scenarios) + "\n", encoding="utf-8")


def folders_of(names: Sequence[str]) -> list[str]:
    """A folder of its own for each scenario, numbered where names differ only in what no folder is called.

    Example:
        >>> folders_of(["-10%", "+10%", ".."])
        ['-10-', '-10--2', '-']
    """
    folders: list[str] = []
    for name in names:
        plain = re.sub(r"^\.+|[^\w.-]+", "-", name)
        folder, number = plain, 1
        while folder.casefold() in {taken.casefold() for taken in folders}:
            number += 1
            folder = f"{plain}-{number}"
        folders.append(folder)
    return folders
