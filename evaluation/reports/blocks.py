"""Which scores stand together in the tables of a report."""

from __future__ import annotations

from collections.abc import Iterable

from ..runs.levels import AT, in_order

_BLOCKS: dict[str, tuple[str, ...]] = {
    "All series together": ("crps_sum", "energy_score", "trajectory_energy_score", "variogram_score"),
    "Each series by itself": ("crps", "weighted_quantile_loss", "nd", "nrmse", "msis"),
    "Rare demand": ("mase", "rmsse", "crps_lead_time"),
    "Coverage": ("coverage_50", "coverage_80", "coverage_95", "coverage_80_sum"),
    "Width": ("width_50", "width_80", "width_95"),
}
"""The tables of a section: heading to metrics."""


def blocks_of(computed: Iterable[str]) -> dict[str, list[str]]:
    """Heading to the metrics of a table, of those that were computed; those of levels have a table of their own.

    Example:
        >>> blocks_of(["nd", "crps", "crps@category"])
        {'Each series by itself': ['crps', 'nd'], 'Totals by level': ['crps@category']}
    """
    known = set(computed)
    found = {heading: [name for name in names if name in known] for heading, names in _BLOCKS.items()}
    found["Totals by level"] = [name for name in in_order(known) if AT in name]
    return {heading: names for heading, names in found.items() if names}


def explained(computed: Iterable[str]) -> list[str]:
    """The metrics that a page explains: those of all tables, and the levels that were computed."""
    return [
        *(name for names in _BLOCKS.values() for name in names),
        *(name for name in in_order(computed) if AT in name),
    ]
