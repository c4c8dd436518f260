"""``hemline models``: which models there are, and what can be set of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import naming
from ..registry.named import MODELS, build_model

if TYPE_CHECKING:
    from ...datasets.entries.data import ForecastData


def register(app: typer.Typer, load: Callable[[str], ForecastData]) -> None:
    """Add the commands to `app`.

    Arguments:
        app: the root command.
        load: dataset name to dataset.
    """
    models = typer.Typer(help="List and describe models.", no_args_is_help=True)
    app.add_typer(models, name="models")

    @models.command("list")
    def list_models() -> None:
        """List every model that is known by name.

        Example: hemline models list
        """
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table(title="Models", caption="any other: module:Class, as gluonts.torch:TiDEEstimator")
        for heading in ("name", "what", "its series together", "prices", "sales set"):
            table.add_column(heading, no_wrap=heading == "name")
        for name, model in MODELS.items():
            prices = "yes" if model.channels else "-"
            table.add_row(name, escape(model.about), model.together or "-", prices, model.sales_set)
        Console().print(table)

    @models.command()
    def describe(
        name: Annotated[str, typer.Argument(help="A name that `hemline models list` shows, or module:Class.")],
        dataset: Annotated[
            str, typer.Option(help="Name of the dataset it is for, or the TOML file of a table.")
        ] = "simulated_sales",
    ) -> None:
        """Print the settings of a model on a dataset, as the TOML file that `hemline train --config` takes.

        Example: hemline models describe gru-maf --dataset simulated_sales > gru-maf.toml
        """
        with naming("dataset", dataset):
            metadata = load(dataset).metadata
        from gluonts.model.estimator import Estimator

        from ...evaluation.adapters.estimator import GroupedEstimator
        from ...runtime.plain import Configured
        from ..registry.settings_text import as_toml

        with naming("name", name):
            model = build_model(name, metadata)
        about = f": {MODELS[name].about}" if name in MODELS else ""
        typer.echo(f"# {name} on {metadata.name}{about}\n")
        if isinstance(model, GroupedEstimator):
            model = model.estimator  # `module:Class` takes the arguments of the class
        settings = as_toml(model).strip() if isinstance(model, (Configured, Estimator)) else ""
        typer.echo(settings or "# It has no settings.")
