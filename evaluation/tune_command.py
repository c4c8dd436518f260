"""`hemline tune`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..runtime.arguments.naming import check_place, check_there, naming
from ..runtime.toml_files import read_toml
from .options import parse_models, parse_workers

if TYPE_CHECKING:
    from gluonts.model.estimator import Estimator
    from gluonts.model.predictor import Predictor

    from ..datasets.entries.data import ForecastData, Metadata


def register(
    app: typer.Typer,
    build: "Callable[[str, Metadata, Mapping[str, object]], Estimator | Predictor]",
    names: Sequence[str],
    load: "Callable[[str], ForecastData]",
) -> None:
    """Add the command to ``app``.

    Arguments:
        app: the root command.
        build: makes a model from its name, the metadata and settings.
        names: the models that ``build`` knows.
        load: dataset name to dataset.
    """

    @app.command(name="tune")
    def tune_command(
        dataset: Annotated[str, typer.Option(help="Name that `hemline data list` shows, or the TOML file of a table.")],
        model: Annotated[str, typer.Option(help=f"One of {', '.join(names)}; or module:Class.")],
        out: Annotated[Path, typer.Option(help="Folder that keeps the trials; a search in it goes on.")],
        trials: Annotated[int, typer.Option(min=1, help="Trials in all, those of before among them.")] = 30,
        space: Annotated[
            Path | None, typer.Option(help="TOML file of settings with their ranges; the model's own if left out.")
        ] = None,
        metric: Annotated[str, typer.Option(help="What is to be small.")] = "crps_sum",
        windows: Annotated[
            int, typer.Option(min=1, help="Horizons at the end of the training data that are held out.")
        ] = 3,
        num_samples: Annotated[int, typer.Option(min=1, help="Sample paths a window.")] = 100,
        seed: Annotated[int, typer.Option(min=0, help="Seed of proposals, trainings and forecasts.")] = 0,
        workers: Annotated[str, typer.Option(help="Processes that run trials, `all` for one a core.")] = "1",
    ) -> None:
        """Search for the settings with which a model forecasts the end of the training data best.

        The test windows are not read. Started again after an interruption, it goes on where it stopped.

        Example: hemline tune --dataset simulated_sales --model gru-maf --trials 20 --out runs/tune
        """
        check_place("out", out, folder=True)
        (name,) = parse_models(model, names)[:1]
        processes = parse_workers(workers)
        ranges = None
        if space is not None:
            check_there("space", space, folder=False)
            with naming("space", space):
                ranges = read_toml(space, f"space: {space}")
        with naming("dataset", dataset):
            data = load(dataset)
        from ..runtime.threads import cores
        from .adapters.fitted import PlainModel
        from .adapters.model import ForecastModel
        from .search.search import BEST, tune

        with naming("model", name):
            built = build(name, data.metadata, {})
            if not isinstance(built, ForecastModel | PlainModel):
                raise ValueError(f"model: expected one whose settings are known, got {type(built).__name__}")
        found = tune(
            built,
            data,
            ranges,
            trials,
            metric=metric,
            windows=windows,
            num_samples=num_samples,
            seed=seed,
            workers=processes or cores(),
            out=out,
        )
        best = found.trials.sort_values("value", kind="stable").head(5)
        typer.echo(best.drop(columns="error").to_string(index=False))
        typer.echo(
            f"\nhemline train --dataset {dataset} --model {name} --config {out / BEST} --out … trains with the best.",
            err=True,
        )
