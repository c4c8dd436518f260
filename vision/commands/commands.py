"""The commands of this room, ``hemline vision ...``: of labels, captions, search and generated photos."""

from __future__ import annotations

import typer

from .annotate import app as annotate
from .classify import app as classify
from .design import app as design
from .embed import embed
from .gan import app as gan
from .locate import app as locate
from .people.morph import app as morph
from .people.outfit import app as outfit
from .people.tryon import app as tryon
from .predict import export, predict
from .search import app as index
from .search import similar
from .sort import sort

app = typer.Typer(help="Read facts off the photos of articles.", no_args_is_help=True)

classify.command()(predict)

classify.command()(export)

app.add_typer(classify, name="classify")

app.add_typer(annotate, name="annotate")

app.command()(embed)

app.add_typer(index, name="index")

app.add_typer(locate, name="locate")

app.add_typer(gan, name="gan")

app.add_typer(design, name="design")

app.add_typer(morph, name="morph")

app.add_typer(tryon, name="tryon")

app.add_typer(outfit, name="outfit")

app.command()(similar)

app.command()(sort)
