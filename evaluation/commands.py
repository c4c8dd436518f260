"""`hemline backtest`, `hemline table` and `hemline report`."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..runtime.arguments.naming import check_place, check_there, naming
from ..runtime.quiet import lasting_filters
from .options import parse_models, parse_seeds, parse_workers, read_settings
from .runs.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gluonts.model.estimator import Estimator
    from gluonts.model.predictor import Predictor

    from ..datasets.entries.data import ForecastData, Metadata
    from .store.backtest_folder import Backtest
    from .tables.score_table import Format, ScoreTable

# The options of these commands say which models and metrics there are, so that no annotation here waits for its reader.


def register(
    app: typer.Typer,
    build: "Callable[[str, Metadata, Mapping[str, object]], Estimator | Predictor]",
    names: Sequence[str],
    load: "Callable[[str], ForecastData]",
) -> None:
    """Add the commands to ``app``.

    Arguments:
        app: the root command.
        build: makes a model from its name, the metadata and settings that go before the shipped ones.
        names: the models that ``build`` knows.
        load: dataset name to dataset.
    """

    @app.command(name="backtest")
    def backtest_command(
        dataset: Annotated[str, typer.Option(help="Name that `hemline data list` shows, or the TOML file of a table.")],
        models: Annotated[
            str, typer.Option(help=f"Names, separated by commas, of {', '.join(names)}; or module:Class.")
        ],
        out: Annotated[Path, typer.Option(help="Folder that keeps every finished run; none is repeated.")],
        seeds: Annotated[str, typer.Option(help="How many seeds (3 is 0,1,2), or a list such as 0,5,7.")] = "1",
        num_samples: Annotated[int, typer.Option(help="Sample paths a window.")] = 100,
        refit_every: Annotated[
            int | None, typer.Option(help="Train anew every so many windows; once if left out.")
        ] = None,
        history: Annotated[
            int | None, typer.Option(help="Steps that a model sees before a window; all if left out.")
        ] = None,
        config: Annotated[Path | None, typer.Option(help="TOML file with a table of settings for each model.")] = None,
    ) -> None:
        """Train models, forecast the test windows of a dataset, and print the table of CRPS-sum.

        Started again after an interruption, it goes on where it stopped.

        Example: hemline backtest --dataset simulated_sales --models gru-maf,random-walk --seeds 3 --out runs/sales
        """
        check_place("out", out, folder=True)
        chosen = parse_models(models, names)
        numbers = parse_seeds(seeds)
        settings = read_settings(config, chosen)
        with naming("dataset", dataset):
            data = load(dataset)
        from .execution.jobs import BacktestError
        from .grids.backtest import RunFailedWarning, backtest, failure_reasons
        from .tables.table import table

        built = {}
        for name in chosen:
            with naming("config", config) if name in settings else naming("models", name):
                built[name] = build(name, data.metadata, settings.get(name, {}))
        with lasting_filters():
            # The failures are told below, and by the exit code.
            warnings.simplefilter("ignore", RunFailedWarning)
            scores = backtest(
                built,
                data,
                seeds=numbers,
                num_samples=num_samples,
                refit_every=refit_every,
                history="expanding" if history is None else history,
                out=out,
            )
        typer.echo(table(scores))
        typer.echo(f"\nThe runs lie in {out}; `hemline report {out}` draws them.", err=True)
        if failures := failure_reasons(scores.attrs["runs"]):
            raise BacktestError(f"{len(failures)} of {len(scores.attrs['runs'])} runs failed: {'; '.join(failures)}")

    @app.command(name="table")
    def table_command(
        folder: Annotated[Path | None, typer.Argument(help="Folder that `hemline backtest` or a grid wrote.")] = None,
        metric: Annotated[
            str | None,
            typer.Option(
                help=f"One or several of {', '.join(METRICS)}, separated by commas; or `all`. Left out, it is "
                "crps_sum, and what there is where that was not computed."
            ),
        ] = None,
        wins_of: Annotated[
            str | None,
            typer.Option(
                "--wins",
                help="Models, or `all`: the share of windows in which each is better than every other.",
            ),
        ] = None,
        format: Annotated[str, typer.Option(help="markdown, latex or csv.")] = "markdown",
        run: Annotated[Path | None, typer.Option(help="TOML file of a grid to run first; see docs/grids.md.")] = None,
        workers: Annotated[
            str | None,
            typer.Option(
                help="With --run: worker processes, 1 for none, `all` for one a core; the file's if left out."
            ),
        ] = None,
        ray: Annotated[bool, typer.Option("--ray", help="With --run: workers on Ray, on this machine.")] = False,
        address: Annotated[str | None, typer.Option(help="With --run: of a Ray cluster to run on.")] = None,
        trust: Annotated[
            list[str] | None,
            typer.Option(help="With --run: a model that the file may name as module:Class; may be repeated."),
        ] = None,
    ) -> None:
        """Print models against datasets, or with several metrics models against metrics for each dataset.

        With --run, the models × datasets × seeds of a TOML file are run first, in this process, in worker processes
        or on Ray. Started again after an interruption, it goes on where it stopped.

        Example: hemline table runs/sales --metric crps,energy_score,coverage_80 --format latex

        Example: hemline table runs/sales --metric energy_score,crps_sum --wins gru-maf

        Example: hemline table --run examples/grid.toml --workers all
        """
        formats: tuple[Format, ...] = ("markdown", "latex", "csv")
        if format not in formats:
            raise ValueError(f"format: expected one of {', '.join(formats)}, got {format!r}")
        if run is not None and folder is None:
            check_there("run", run, folder=False)
            from .grids.grid import read_grid
            from .grids.run_grid import run_grid

            with naming("run", run):
                grid = read_grid(run, names, trust or ())
            if workers is not None:
                grid = replace(grid, workers=parse_workers(workers))
            found = run_grid(grid, build, load, ray=ray, address=address)
        elif folder is not None and run is None:
            for option, given in (("workers", workers), ("ray", ray), ("address", address), ("trust", trust)):
                if given:
                    raise ValueError(f"{option}: expected with --run only, got it with the folder {folder}")
            check_there("folder", folder, folder=True)
            from .store.backtest_folder import load_backtest

            with naming("folder", folder):
                found = load_backtest(folder)
        else:
            raise ValueError(f"folder: expected either a folder or --run GRID.toml, got {'both' if run else 'neither'}")
        texts = [made.render(formats[formats.index(format)]) for made in make_tables(found, metric, wins_of)]
        if format == "csv":
            # One table: its header stands once.
            typer.echo("\n".join([texts[0], *(text.partition("\n")[2] for text in texts[1:])]))
        else:
            typer.echo("\n\n".join(texts))
        if run is not None and found.missing:
            from .execution.jobs import BacktestError

            raise BacktestError(f"{len(found.missing)} cell(s) are missing; the lines under the table say why")

    @app.command(name="report")
    def report_command(
        folder: Annotated[Path, typer.Argument(help="Folder that `hemline backtest` wrote.")],
        out: Annotated[Path | None, typer.Option(help="HTML file; report.html in the folder if left out.")] = None,
    ) -> None:
        """Write one self-contained HTML page: tables, fan charts, calibration, training curves, costs.

        Example: hemline report runs/sales
        """
        check_there("folder", folder, folder=True)
        if out is not None:
            check_place("out", out, folder=False)
        from .reports.report import report

        with naming("folder", folder):
            written = report(folder, out)
        typer.echo(f"The report lies in {written}")


def make_tables(found: "Backtest", metric: str | None = None, wins_of: str | None = None) -> "list[ScoreTable]":
    """The tables that a list of metrics asks for.

    Arguments:
        found: the backtest.
        metric: a metric, several separated by commas, or ``"all"``; ``None`` for CRPS-sum, and for what there is where
            that was not computed.
        wins_of: models to be held against all others, separated by commas, or ``"all"``; ``None`` for scores.

    Returns:
        Models against datasets for one metric; for several, models against metrics, a table a dataset. With
        ``wins_of`` models against models, a table a metric.

    Raises:
        ValueError: a metric is unknown or was not computed, or a model is unknown.
    """
    import pandas as pd

    from .runs.levels import in_order, metric_named
    from .tables.table import summary, table
    from .tables.wins import wins

    computed = in_order(found.scores["metric"])
    if metric is None:
        metric = "crps_sum" if "crps_sum" in computed else computed[0] if len(computed) == 1 else "all"
    names = [name.strip() for name in metric.split(",") if name.strip()]
    if not names:
        raise ValueError(f"metric: expected some of {', '.join(METRICS)}, or all; got {metric!r}")
    if wins_of is not None:
        lower = [name for name in computed if metric_named(name).better == "lower"]
        models = None if wins_of == "all" else [name.strip() for name in wins_of.split(",") if name.strip()]
        if models == []:
            raise ValueError(f"wins: expected models, or all; got {wins_of!r}")
        asked = lower if names == ["all"] else names
        with naming("wins", wins_of):
            return [wins(found.scores, name, models, runs=found.runs) for name in asked]
    if len(names) == 1 and names[0] != "all":
        return [table(found.scores, names[0], runs=found.runs, missing=found.missing)]
    wanted = None if names == ["all"] else names
    datasets = pd.concat([found.scores["dataset"], found.runs["dataset"]]).drop_duplicates()
    return [summary(found.scores, dataset, wanted, runs=found.runs, missing=found.missing) for dataset in datasets]
