"""One self-contained page about a pair of articles under a scenario."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from ...datasets.entries.gluonts_keys import GluontsEntry
from ...evaluation.drawing.style import png_bytes
from ...runtime.arguments.kinds import checked
from ...runtime.display.numbers import figure
from ...runtime.whole_files import whole_file
from .cannibalisation import Cannibalisation
from .cannibalisation_figure import cannibalisation_figure
from .notation import Change
from .outcome import Outcome, Simulation
from .pair_figures import chosen_outcome, pair_figure

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
* {{ box-sizing: border-box; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .8rem; white-space: nowrap; text-align: right; border-bottom: 1px solid #ccc; }}
th:first-child, td:first-child {{ text-align: left; }} img {{ max-width: 100%; height: auto; }}
@media (max-width: 40rem) {{
  body {{ margin: 1rem auto; padding: 0 .8rem; }}
  h1 {{ font-size: 1.4rem; }}
  table {{ font-size: .72rem; }}
  th, td {{ padding: .25rem .3rem; }}
  th, td:last-child {{ white-space: normal; }}
  th:first-child, td:first-child {{ position: sticky; left: 0; background: #fff; }}
  img {{ max-width: none; width: 60rem; }}
}}
@media print {{
  body {{ margin: 0; max-width: none; font-size: 11px; }}
  p, li {{ orphans: 3; widows: 3; }}
  table, tr, img {{ break-inside: avoid; }}
  h1 {{ break-after: avoid; }}
  img {{ display: block; max-height: 24cm; }}
}}
</style></head><body>
<h1>{title}</h1>
<p>{frame}</p>
<ul>{changes}</ul>
{unseen}
<div class="scroll"><table><thead><tr>
<th></th><th>baseline</th><th>scenario</th><th>change</th><th>90 % interval</th>
</tr></thead>
<tbody>{rows}</tbody></table></div>
{pictures}
<p>Both futures use the same random numbers (common random numbers): their differences are effects of the scenario.
Influences that the model does not know, such as reactions of competitors, are not included.</p>
</body></html>
"""


@checked
def write_pair_view(
    simulation: Simulation,
    scenario: str,
    articles: Sequence[str],
    out: str | os.PathLike[str],
    effects: Cannibalisation | None = None,
    actual: GluontsEntry | None = None,
) -> tuple[Path, ...]:
    """Write the pair view of a simulation: PNG pictures, and one HTML page that needs no other file.

    Arguments:
        simulation: the outcomes.
        scenario: the name of one.
        articles: two articles, the first usually the one that is changed.
        out: folder, made if need be.
        effects: the cannibalisation matrix to show with them.
        actual: an entry that goes on over the horizon; what it holds of it is drawn as what happened.

    Returns:
        The files: ``pair.png``, ``cannibalisation.png`` where there is a matrix, and ``pair.html``.

    Raises:
        ValueError: not two different articles, or a name is unknown; nothing is written then.
    """
    if len(articles) != 2 or articles[0] == articles[1]:
        raise ValueError(f"articles: expected two different articles, got {', '.join(articles) or 'none'}")
    first, second = articles
    after = chosen_outcome(simulation, scenario)
    for article in articles:
        after.column(article)
    figures = {"pair": pair_figure(simulation, scenario, first, second, actual)}
    if effects is not None:
        figures["cannibalisation"] = cannibalisation_figure(effects, len(after.item_ids))
    pictures = {name: png_bytes(figure) for name, figure in figures.items()}
    page = _page(simulation, after, first, second, pictures)
    contents = {f"{name}.png": picture for name, picture in pictures.items()} | {"pair.html": page.encode()}
    written = []
    for name, content in contents.items():
        written.append(Path(out) / name)
        with whole_file(written[-1]) as aside:
            aside.write_bytes(content)
    return tuple(written)


def _page(simulation: Simulation, after: Outcome, first: str, second: str, pictures: dict[str, bytes]) -> str:
    before, dates = simulation.baseline, simulation.baseline.dates
    changes = next(each.changes for each in simulation.scenarios if each.name == after.name)
    said = "".join(f"<li>{escape(_dated(change, before))}</li>" for change in changes) or "<li>Nothing changes.</li>"
    frame = (
        f"{len(before.paths)} joint sample paths of {len(before.item_ids)} articles over {len(dates)} steps, "
        f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}. The scenario “{after.name}”:"
    )
    images = "".join(
        f'<div class="scroll"><img alt="{name}" src="data:image/png;base64,{base64.b64encode(picture).decode()}"></div>'
        for name, picture in pictures.items()
    )
    return PAGE.format(
        title=escape(f"{first} and {second}: {after.name}"),
        frame=escape(frame),
        changes=said,
        unseen="".join(f"<p>{escape(each)}.</p>" for each in simulation.unseen.get(after.name, ())),
        rows="".join(_rows(before, after, first, second)),
        pictures=images,
    )


def _dated(change: Change, outcome: Outcome) -> str:
    steps = outcome.dates[change.steps(len(outcome.dates))]
    first, last = f"{steps[0]:%Y-%m-%d}", f"{steps[-1]:%Y-%m-%d}"
    return f"{change.words()} ({first})" if first == last else f"{change.words()} ({first} to {last})"


@dataclass(frozen=True)
class PairRow:
    """What a scenario does to a total over the horizon.

    Arguments:
        measure: ``"pieces"`` or ``"revenue"``.
        of: the article, ``"both"`` or ``"all articles"``.
        baseline: the mean over the paths of the planned future.
        scenario: the mean over those of the changed one.
        change: the mean change.
        interval: within which 90 % of the paths change.
    """

    measure: str
    of: str
    baseline: float
    scenario: float
    change: float
    interval: tuple[float, float]


def pair_rows(before: Outcome, after: Outcome, first: str, second: str) -> tuple[PairRow, ...]:
    """What a scenario does to two articles, to both, and to all.

    Arguments:
        before: the planned future.
        after: the changed one.
        first: an article.
        second: another one.
    """
    measures = [("pieces", before.units, after.units)]
    if before.money is not None:
        measures.append(("revenue", before.revenue, after.revenue))
    rows = []
    for measure, planned, changed in measures:
        for name, articles in (
            (first, [first]),
            (second, [second]),
            ("both", [first, second]),
            ("all articles", [None]),
        ):
            base = np.sum([planned(article) for article in articles], axis=0)
            other = np.sum([changed(article) for article in articles], axis=0)
            low, high = np.quantile(other - base, (0.05, 0.95))
            change = float((other - base).mean())
            rows.append(
                PairRow(measure, name, float(base.mean()), float(other.mean()), change, (float(low), float(high)))
            )
    return tuple(rows)


def _rows(before: Outcome, after: Outcome, first: str, second: str) -> list[str]:
    rows = []
    for row in pair_rows(before, after, first, second):
        low, high = row.interval
        cells = [f"{row.measure} of {row.of}", figure(row.baseline), figure(row.scenario)]
        cells += [figure(row.change, sign=True), f"{figure(low, sign=True)} to {figure(high, sign=True)}"]
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return rows
