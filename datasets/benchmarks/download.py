"""Downloads that resume, that are checked before they get their name, and that explain their failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import SEEK_END
from pathlib import Path
from time import monotonic, sleep

import requests
import urllib3
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ...runtime.locks import locked
from ...runtime.reading.places import require_allowed
from ...runtime.whole_files import put_in_place

_CHUNK = 1 << 16

_TIMEOUT = (10.0, 60.0)

_PASSING = (requests.codes.request_timeout, requests.codes.too_many_requests)


class DownloadError(FileNotFoundError):
    """A file could not be brought here."""


class _BrokenOffError(requests.RequestException):
    """A transfer ended before its end."""


def download(
    url: str,
    target: Path,
    check: Callable[[Path], None],
    attempts: int = 4,
    wait: float = 0.5,
    seconds: float = 3600.0,
) -> Path:
    """Download a file to ``target``, verified and atomic.

    The bytes go to ``target.part``. A transfer that breaks is taken up where it stopped, within this call and
    in a later one; a server without ranges sends the file again. When all bytes are there ``check`` looks at
    them, and only then the file takes its name, in one step. A second download of the same target waits for the
    first, and takes the file that it made.

    Arguments:
        url: the address.
        target: the file to make, unless it is there; its folder is created when the first bytes arrive.
        check: raises ``ValueError`` if the file given to it is not what it should be.
        attempts: how often the transfer is tried.
        wait: seconds before the second attempt; doubled each time.
        seconds: how long all attempts together can take: a server that sends a byte a minute would never end.

    Returns:
        ``target``.

    Raises:
        DownloadError: the address cannot be reached, answers with an error, or breaks off each time.
        ValueError: the file arrived and ``check`` refused it; it is removed.
    """
    require_allowed(url)
    part = target.with_name(target.name + ".part")
    if part.is_symlink():  # whoever left it here would choose which file grows
        part.unlink()
    end = monotonic() + seconds
    for attempt in range(attempts):
        if target.exists():
            part.unlink(missing_ok=True)
            return target
        try:
            _transfer(url, part, target, end)
            break
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else None
            permanent = status is not None and 400 <= status < 500 and status not in _PASSING
            if permanent or attempt == attempts - 1:
                raise DownloadError(f"{url} ({_reason(error)})") from error
            sleep(wait * 2**attempt)
    try:
        check(part)
        put_in_place(part, target)
    except ValueError:
        part.unlink(missing_ok=True)
        raise
    except FileNotFoundError:
        # Another download of the whole part was quicker to give it its name.
        if not target.exists():
            raise
    return target


def _transfer(url: str, part: Path, target: Path, end: float) -> None:
    """Append what is still missing to ``part``."""
    found = have = part.stat().st_size if part.exists() else 0
    # Without "identity" a server may compress once more, and ranges would count other bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(have):
                return
            part.unlink(missing_ok=True)
            raise _BrokenOffError(f"{have} bytes were here, the server has {total or 'none'}; began again")
        answer.raise_for_status()
        if have and answer.status_code != requests.codes.partial_content:
            have = 0
        length = answer.headers.get("Content-Length")
        total_size = have + int(length) if length else None
        console = Console(stderr=True)
        with (
            locked(part, wait=True, keep=True) as stream,
            Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TimeRemainingColumn(),
                console=console,
                disable=not console.is_terminal,
            ) as progress,
        ):
            if stream.seek(0, SEEK_END) != found or target.exists():
                raise _BrokenOffError("another download went on with the file")
            stream.truncate(have)
            task = progress.add_task(f"downloading {part.stem}", total=total_size, completed=have)
            for chunk in _chunks(answer, end):
                stream.write(chunk)
                progress.advance(task, len(chunk))


def _chunks(answer: requests.Response, end: float) -> Iterator[bytes]:
    """The bytes of an answer; `requests` itself would wait until a chunk is full, however long."""
    have = b""
    try:
        while piece := answer.raw.read1(_CHUNK - len(have)):
            if monotonic() > end:
                raise DownloadError(f"{answer.url} (it took too long; begun again, it goes on where it stopped)")
            have += piece
            if len(have) == _CHUNK:
                yield have
                have = b""
        yield have
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.Timeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    if isinstance(error, _BrokenOffError):
        return str(error)
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer broke off"
    return "no answer in time" if isinstance(error, requests.Timeout) else "no connection"
