"""Which runs stand side by side in a table, and what is said of those that do not."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any, cast

import pandas as pd

from ..runs.records import RunRecord

_TERMS = {"data_fingerprint": "other data", "num_samples": "paths", "history": "history", "refit_every": "refit_every"}
"""What all models of a dataset have to share to be compared: column of the runs table to its name in a note."""


def last_asked(runs: pd.DataFrame) -> pd.Series:
    """When each run was last asked for: it began then, or was known already.

    Arguments:
        runs: the runs table.

    Returns:
        Moments as in ``started``, which sort as text.
    """
    return runs["asked"].fillna(runs["started"]) if "asked" in runs else runs["started"]


def settings_of(record: RunRecord) -> str:
    """The settings by which runs of different seeds are grouped.

    Arguments:
        record: what `Run.record` says of it, or its row of the runs table.

    Returns:
        Model settings, version, data, sample paths, history and refits, the same text for the same; neither the seed
        nor which metrics were computed.
    """
    version = json.loads(record["versions"])["hemline"]
    values = cast("Mapping[str, Any]", record)
    terms = (values[column] for column in _TERMS)
    # A column with gaps has made floats of whole numbers.
    texts = ["" if pd.isna(term) else f"{term:.0f}" if isinstance(term, float) else str(term) for term in terms]
    return "|".join([record["configuration_hash"], version, *texts])


def current_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that count: see `same_settings`; one for each model, dataset and seed.

    Arguments:
        runs: the runs table.

    Returns:
        Its rows that count.
    """
    return one_a_seed(same_settings(runs))


def same_settings(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with equal settings, comparable in one table.

    All runs of a dataset have the data, sample paths, history and refits of the finished one last asked for; of
    these, those of a model the settings and version of its last one.

    Arguments:
        runs: the runs table.

    Returns:
        The rows that count, so that neither a column compares nor a mean over seeds mixes what differs.
    """
    if runs.empty:
        return runs
    runs = runs.reset_index(drop=True)
    finished = runs["status"] == "finished"
    decisive = runs[finished | ~runs["dataset"].isin(runs.loc[finished, "dataset"])]
    shared = _like_last(runs, decisive, ["dataset"], _key(runs[list(_TERMS)]))
    version = shared["versions"].map(lambda text: json.loads(text)["hemline"])
    own = _key(shared[["configuration_hash"]].assign(version=version))
    return _like_last(shared, shared, ["model", "dataset"], own)


def one_a_seed(runs: pd.DataFrame) -> pd.DataFrame:
    """Of runs of the same model, dataset and seed the finished one last asked for.

    They differ in the metrics that were computed. A failed one stands where none has finished.

    Arguments:
        runs: the runs table.
    """
    if runs.empty:
        return runs
    order = pd.DataFrame({"finished": runs["status"] == "finished", "asked": last_asked(runs)})
    ordered = runs.loc[order.sort_values(["finished", "asked"], kind="stable").index]
    return runs.loc[ordered.drop_duplicates(["model", "dataset", "seed"], keep="last").index.sort_values()]


def left_out_lines(runs: pd.DataFrame, counted: pd.DataFrame) -> tuple[str, ...]:
    """Notes under a table on the runs that were left out.

    Arguments:
        runs: the runs table.
        counted: what `same_settings` leaves of it.

    Returns:
        A line for the models of a dataset that have no run beside the others for the same reason, and one for the
        older runs of models that have.
    """
    out = runs[~runs["run"].isin(counted["run"])]
    chosen = {record["dataset"]: record for record in counted.to_dict("records")}
    present = set(zip(counted["model"], counted["dataset"], strict=True))
    models: dict[tuple[str, str], list[str]] = {}
    older = 0
    for record in out.sort_values("started").to_dict("records"):
        if (record["model"], record["dataset"]) in present:
            older += 1
            continue
        names = models.setdefault((record["dataset"], _why(record, chosen[record["dataset"]])), [])
        if record["model"] not in names:
            names.append(record["model"])
    lines = [f"Left out: {', '.join(names)} on {dataset}: {why}." for (dataset, why), names in models.items()]
    return (*lines, *([f"{older} run(s) with older settings are left out."] if older else ()))


def _why(record: Mapping[Hashable, Any], chosen: Mapping[Hashable, Any]) -> str:
    """How a run differs from those that count on its dataset."""
    reasons = []
    for column, name in _TERMS.items():
        got, expected = ("none" if pd.isna(one[column]) else one[column] for one in (record, chosen))
        if got != expected and column == "data_fingerprint":
            spans = [f"{one['windows']} windows of {one['prediction_length']} steps" for one in (record, chosen)]
            reasons.append(f"{name} ({spans[0]}, not {spans[1]})" if spans[0] != spans[1] else name)
        elif got != expected:
            got, expected = (f"{one:.0f}" if isinstance(one, float) else one for one in (got, expected))
            reasons.append(f"{got} {name}, not {expected}" if name == "paths" else f"{name} {got}, not {expected}")
    return "; ".join(reasons)


def _key(columns: pd.DataFrame) -> pd.Series:
    return columns.astype("string").fillna("").agg("|".join, axis=1)


def _like_last(runs: pd.DataFrame, decisive: pd.DataFrame, group: list[str], key: pd.Series) -> pd.DataFrame:
    """The runs of each group with the key of its decisive run that was last asked for."""
    asked = decisive.assign(asked=last_asked(decisive), key=key[decisive.index])
    last = asked.sort_values("asked", kind="stable").drop_duplicates(group, keep="last").set_index(group)["key"]
    return runs[(runs.set_index(group).index.map(last.to_dict()) == key.to_numpy()).astype(bool)]
