"""Parts of an entry: fewer series, fewer steps, fewer channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .multivariate import STATIC, Entry


def known_until(entry: Entry, end: int, horizon: int = 0) -> Entry:
    """A multivariate entry as it was known after some steps.

    Arguments:
        entry: ``target`` ``[D, T]`` and what goes with it.
        end: the steps that are kept.
        horizon: steps beyond, for which channels known of the future are kept.

    Returns:
        The entry; its arrays are views.
    """
    known = {**entry, "target": entry["target"][:, :end]}
    for key in ("feat_dynamic_real", "past_feat_dynamic_real"):
        if key in entry:
            known[key] = entry[key][:, : end + horizon * (key == "feat_dynamic_real")]
    return known


def of_series(entry: Entry, wanted: np.ndarray) -> Entry:
    """A multivariate entry of some of its series, with all channels.

    Arguments:
        entry: ``target`` ``[D, T]`` and what goes with it.
        wanted: bool ``[D]``.
    """
    kept = {**entry, **{key: entry[key][wanted] for key in ("target", *STATIC) if key in entry}}
    if "item_ids" in entry:
        kept["item_ids"] = tuple(item for item, stays in zip(entry["item_ids"], wanted, strict=True) if stays)
    return kept


def without_channels_of(entry: Entry, items: set[str]) -> Entry:
    """A multivariate entry without the channels of some articles; with all where they have no names.

    Arguments:
        entry: ``target`` ``[D, T]`` and what goes with it.
        items: names of the articles. A channel that is called after none of them, such as ``temperature[C]``, stays.
    """
    kept = dict(entry)
    for key, called in (("feat_dynamic_real", "covariates"), ("past_feat_dynamic_real", "past_covariates")):
        names = entry.get(called, ())
        if not items or key not in entry or len(names) != len(entry[key]):
            continue
        rows = [row for row, name in enumerate(names) if name.partition("[")[2][:-1] not in items]
        kept[key], kept[called] = entry[key][rows], tuple(names[row] for row in rows)
        if not rows:
            del kept[key], kept[called]
    return kept


def of_articles(entries: Sequence[Entry], wanted: np.ndarray) -> list[Entry]:
    """Multivariate entries of some articles and of their channels; a planned future and imposed sales with them.

    Arguments:
        entries: ``target`` ``[D, T]`` and what goes with it.
        wanted: bool ``[D]``.
    """
    if wanted.all():
        return list(entries)
    kept = []
    for entry in entries:
        items = {str(item) for item, stays in zip(entry.get("item_ids", ()), wanted, strict=False) if not stays}
        own = without_channels_of(of_series(entry, wanted), items)
        if "planned" in entry:
            own["planned"] = of_articles([entry["planned"]], wanted)[0]
        if "imposed" in entry:
            own["imposed"] = entry["imposed"][wanted]
            if np.isnan(own["imposed"]).all():
                del own["imposed"]
        kept.append(own)
    return kept
