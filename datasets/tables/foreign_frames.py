"""Frames of other libraries, in and out."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame, IntoLazyFrame

    Frame: TypeAlias = pd.DataFrame | IntoDataFrame | IntoLazyFrame | str | os.PathLike[str]
else:  # narwhals is slow to import, and most tables are files
    Frame: TypeAlias = object
"""A frame of any library that Narwhals knows or that has the Arrow interface, or the path of a file."""


def as_pandas(frame: Frame) -> pd.DataFrame:
    """A frame of any library as one of pandas with columns of numpy.

    Arguments:
        frame: of pandas, polars (lazy too), pyarrow, DuckDB or another library that Narwhals knows, or anything with
            the Arrow interface (``__arrow_c_stream__``).

    Returns:
        The frame; whole numbers with gaps are floats, decimals too. One of pandas keeps its index.

    Raises:
        ValueError: it is no frame.

    Example:
        >>> as_pandas(pa.table({"sold": [3, None]}))["sold"].tolist()
        [3.0, nan]
    """
    if isinstance(frame, pd.DataFrame):
        return _without_arrow_types(frame)
    kind = type(frame)
    try:
        found = _known(frame)
    except (TypeError, pa.ArrowInvalid) as error:
        raise ValueError(
            "frame: expected a frame (of pandas, polars, pyarrow, DuckDB or another library with the Arrow interface) "
            f"or the path of a file, got {f'{kind.__module__}.{kind.__name__}'.removeprefix('builtins.')}"
        ) from error
    table: pa.Table = found.lazy().collect("pyarrow").to_native()
    return _without_decimals(table.to_pandas(date_as_object=False))


def in_library(frame: pd.DataFrame, library: str) -> IntoDataFrame:
    """A frame of pandas as one of another library.

    Arguments:
        frame: the frame.
        library: a name that Narwhals knows, such as ``"polars"``, ``"pyarrow"`` or ``"pandas"``.

    Raises:
        ValueError: there is no such library, or it is not installed.

    Example:
        >>> in_library(pd.DataFrame({"sold": [3, 4]}), "pyarrow").column_names
        ['sold']
    """
    if library == "pandas":
        return frame
    import narwhals as nw

    try:
        return nw.from_arrow(pa.Table.from_pandas(frame, preserve_index=False), backend=cast(Any, library)).to_native()
    except ImportError as error:
        raise ValueError(f"library: expected {library} to be installed, got none ({error})") from error
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"library: expected 'pandas', 'polars', 'pyarrow' or another library of frames, got {library!r}"
        ) from error


def _known(frame: Any) -> Any:
    """A frame of Narwhals: of a library that it knows, else by the Arrow interface."""
    import narwhals as nw

    found = nw.from_native(frame, pass_through=True)
    by_arrow = found is frame and callable(getattr(type(frame), "__arrow_c_stream__", None))
    return nw.from_arrow(frame, backend="pyarrow") if by_arrow else nw.from_native(frame)


def _without_arrow_types(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with columns of numpy in place of those of Arrow; itself where there are none."""
    if isinstance(frame.index.dtype, pd.ArrowDtype):
        frame = frame.set_axis(pd.Index(pa.array(frame.index.array).to_pandas(), name=frame.index.name), axis=0)
    arrow = [place for place, kind in enumerate(frame.dtypes) if isinstance(kind, pd.ArrowDtype)]
    if not arrow:
        return frame
    columns = {place: frame.iloc[:, place] for place in range(frame.shape[1])}
    for place in arrow:
        values = pa.array(columns[place].array).to_pandas(date_as_object=False)
        columns[place] = pd.Series(values.to_numpy() if values.dtype.kind != "M" else values.array, index=frame.index)
    plain = pd.DataFrame(columns, index=frame.index)
    plain.columns = frame.columns
    return _without_decimals(plain)


def _without_decimals(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with floats in place of decimals, which are objects to pandas."""
    kinds = {
        place: float
        for place in range(frame.shape[1])
        if frame.dtypes.iloc[place].kind == "O" and isinstance(next(iter(frame.iloc[:, place].dropna()), None), Decimal)
    }
    if not kinds:
        return frame
    names, plain = frame.columns, frame.set_axis(range(frame.shape[1]), axis=1).astype(kinds)
    return plain.set_axis(names, axis=1)
