"""Errors that name the argument or the file that they are about, and places that are looked at before the work."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def in_words(error: BaseException) -> str:
    """The message of an error in one line, with the error's class where its text was not written for users.

    Example:
        >>> in_words(ValueError("lags: expected numbers")), in_words(KeyError("lags"))
        ('lags: expected numbers', "KeyError: 'lags'")
    """
    # Torch tells its own stack in what it says.
    text = " ".join(str(error).partition("\nframe #0")[0].partition("\nException raised from")[0].split())
    if isinstance(error, (ValueError, OSError, FloatingPointError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def naming(argument: str, value: object = None) -> Iterator[None]:
    """Context in which errors are prefixed with the name of the argument; those that show its value stay as they are.

    Arguments:
        argument: its name.
        value: what was given.

    Raises:
        ValueError: instead of any error of the block whose text neither begins with the argument nor shows its value,
            or was not written for a user.

    Example:
        >>> with naming("predictor", "runs/sales"):
        ...     {}["estimator"]
        Traceback (most recent call last):
        ...
        ValueError: predictor: runs/sales: KeyError: 'estimator'
    """
    try:
        yield
    except Exception as error:
        text, given = in_words(error), "" if value is None else str(value)
        if not given.isprintable():
            given = repr(given)
        shown = given in text if given else text.startswith(f"{argument}:")
        if shown and isinstance(error, (ValueError, OSError)):
            raise
        told = text.removeprefix(f"{argument}: ")
        raise ValueError(
            f"{argument}: {told}" if not given or given in told else f"{argument}: {given}: {told}"
        ) from error


def check_there(argument: str, place: str | os.PathLike[str], *, folder: bool) -> None:
    """Check that a path exists, before the modules that could read it are imported.

    Arguments:
        argument: the name of the argument, for the message.
        place: the file or folder; an fsspec address is not looked at.
        folder: whether it has to be a folder.

    Raises:
        FileNotFoundError: it is not there, or is the other of the two.
    """
    text, what = os.fspath(place), "folder" if folder else "file"
    if "://" in text:
        return
    try:
        there = os.path.isdir(text) if folder else os.path.isfile(text)
    except ValueError:  # a NUL
        there = False
    if not there:
        shown = text if text.isprintable() else repr(text)
        raise FileNotFoundError(f"{argument}: expected a {what}, got {shown[:200]}; there is no such {what}")


def check_place(argument: str, place: str | os.PathLike[str], *, folder: bool) -> None:
    """Check that a path can be written to, before any work is done; nothing is created.

    Arguments:
        argument: the name of the argument, for the message.
        place: the file or folder to be; an fsspec address is not looked at.
        folder: whether it is to be a folder.

    Raises:
        ValueError: it is there as the other of the two, lies below a file, or has a name that no file can have.
        PermissionError: nothing can be written there.
    """
    text = os.fspath(place)
    if "://" in text:
        return
    what = "folder" if folder else "file"
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{argument}: expected the name of a {what}, got {text!r}")
    path = Path(text)
    try:
        if path.exists() and path.is_dir() != folder:
            raise ValueError(f"{argument}: expected a {what}, got {text}, which is a {'file' if folder else 'folder'}")
        above = next((each for each in path.absolute().parents if os.path.lexists(each)), Path("/"))
        if not above.is_dir():
            raise ValueError(f"{argument}: expected a {what} in a folder, got {text}; {above} is a file")
        nearest = path if path.exists() else above
        if not os.access(nearest, os.W_OK):
            raise PermissionError(errno.EACCES, f"{argument}: expected a place that can be written to, got {text}")
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        raise ValueError(f"{argument}: expected the name of a {what}, got {text[:60]}: {error.strerror}") from error
