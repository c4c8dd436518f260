"""Whether a folder is free for a run, or holds the begun one to go on with."""

from __future__ import annotations

from collections.abc import Mapping

from ..plain import Plain, without_types
from ..run_folder import RunFolder

BEGUN, DATA, REPORT = "begun.json", "data.json", "report.json"


def check_begun(folder: RunFolder, options: Mapping[str, Plain], resume: bool) -> None:
    """Check that the folder is free, or holds a run with the same options; nothing is written.

    Arguments:
        folder: the folder of the run.
        options: what the run is made with, as plain data.
        resume: go on with a run, rather than begin one.

    Raises:
        ValueError: a run is in the folder and none is to be resumed, there is none to resume, or it was begun
            with another option.
    """
    if resume:
        if not folder.has(BEGUN):
            raise ValueError(f"resume: expected a run that was begun in {folder.address}, got none")
        _refuse_other(folder, folder.read_json(BEGUN), options)
    elif any(folder.has(name) for name in (BEGUN, REPORT, RESUME)):
        raise ValueError(f"checkpoint: expected an empty folder, or --resume, got a run in {folder.address}")


def begin(folder: RunFolder, options: Mapping[str, Plain], data: Mapping[str, Plain], resume: bool) -> None:
    """Start a run in the folder, or check that its data equal those of the run to resume.

    Arguments:
        folder: the folder of the run.
        options: what `check_begun` checked.
        data: what was learned from, as plain data: the name of each fact (``"colour of item i7"``) -> the fact.
        resume: whether the run is in the folder.

    Raises:
        ValueError: the run was begun with other data.
    """
    if resume:
        _refuse_other(folder, folder.read_json(DATA), data)
    else:
        folder.write_json(DATA, data)
        # Last: this file is the sign that a run was begun, and all that it needs is there.
        folder.write_json(BEGUN, options)


def finish(folder: RunFolder, report: Plain, *more: str) -> None:
    """Write the report, which marks the run as finished, and remove the last checkpoint.

    Arguments:
        folder: the folder of the run, with all else in its place.
        report: plain data.
        more: names of further checkpoints, of a run with several trainings.
    """
    folder.write_json(REPORT, report)
    for name in (RESUME, *more):
        if folder.has(name):
            folder.files.rm_file(f"{folder.root}/{name}")


def _refuse_other(folder: RunFolder, before: Mapping[str, Plain], now: Mapping[str, Plain]) -> None:
    for name in {**before, **now}:
        if without_types(before.get(name)) != without_types(now.get(name)):
            raise ValueError(
                f"resume: expected {name} as the run in {folder.address} was begun with "
                f"({before.get(name)}), got {now.get(name)}"
            )


RESUME = "last.ckpt"
"""The full state after the last whole epoch; removed when the training is done."""
