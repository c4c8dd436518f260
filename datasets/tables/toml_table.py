"""Datasets of a user's own, each a table that a TOML file describes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ...runtime.arguments.kinds import check_kind
from ...runtime.folders import find_named
from ...runtime.toml_files import check_keys, read_description
from ..encodings.encoding import Encoding
from ..entries.data import ForecastData
from .frames import from_frame
from .sales_table import from_sales
from .table_files import TableFile, TableFormat


def own_table(address: str, encoding: Encoding | None = None) -> ForecastData:
    """Read the table that a TOML file describes.

    The file has the key ``table``, the path of the CSV, Parquet or Excel file, looked for beside it and then in the
    folders of ``HEMLINE_DATA``; how its cells are written (:class:`TableFormat`); and the arguments of
    :func:`from_sales` where it has the key ``article``, else those of :func:`from_frame`. The key ``vectors`` names
    the file that ``hemline vision embed`` wrote or the folder of a recommender, looked for in the same places, whose
    vectors then stand beside the series (:func:`join_article_vectors`). The dataset is called as the TOML file is.

    Arguments:
        address: the TOML file.
        encoding: how its categories and texts become numbers; ``None`` learns it from the table.

    Returns:
        The dataset.

    Raises:
        FileNotFoundError: the TOML file or the table is nowhere.
        ValueError: a key is unknown or missing or its value of the wrong kind, or the table is not as described.
    """
    described: dict[str, Any] = dict(read_description(address))
    read: Callable[..., ForecastData] = from_sales if "article" in described else from_frame
    parameters = inspect.signature(read).parameters
    options = [name for name in parameters if name not in ("frame", "name", "encoding")]
    written = [each.name for each in fields(TableFormat)]
    needed = [name for name in options if parameters[name].default is inspect.Parameter.empty]
    where = f"{address} ({'with' if read is from_sales else 'without'} 'article', so for {read.__name__})"
    check_keys(where, described, ["table", "vectors", *options, *written], ["table", *needed])
    hints = get_type_hints(read, include_extras=True) | get_type_hints(TableFormat) | {"table": str, "vectors": str}
    for key, value in described.items():
        check_kind(f"{address}: {key}", value, _without_none(hints[key]))
    table = find_named(described.pop("table"), address)
    vectors = find_named(described.pop("vectors"), address) if "vectors" in described else None
    try:
        form = TableFormat(**{key: described.pop(key) for key in written if key in described})
    except ValueError as error:
        raise ValueError(f"{address}: {error}") from error
    data = read(TableFile(table, form), **described, encoding=encoding, name=PurePath(address).stem)
    return data if vectors is None else data.with_article_vectors(vectors)


def _without_none(hint: Any) -> Any:
    """The kind of an argument as TOML can hold it, which knows no ``None``."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    return Union[tuple(kind for kind in get_args(hint) if kind is not NoneType)]  # noqa: UP007
