"""Works that are broken off at every change, or at any moment, in forks of one process; a line of JSON for each.

    python crash_harness.py OUT WORK... [--how HOW] [--breaks N | --kills N --seed S] [--into FILE]

With a file to write into, what stands there is not done again: a run of hours may be ended, and goes on.

A work is broken off, a reader looks at what is left, and the work is started again. What the reader finds is, part by
part, as it was before, or whole, or absent; and in the end all is as if nothing had happened.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import torch
from crash_customers import CUSTOMERS
from crash_generation import GENERATION
from crash_orders import ORDERS
from crash_pictures import PICTURES
from crash_studio import STUDIO
from crash_works import CARELESS, FILES, State
from failing_disk import HOWS, FailingDisk, How

WORKS = FILES | ORDERS | PICTURES | CUSTOMERS | GENERATION | STUDIO
LIMIT = 120.0


def forked(call: Callable[[], Any], kill_after: float | None = None) -> tuple[int, Any]:
    """What a call returns in a fork of this process, and how the fork ended: 0, 1 after an error, or -9."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        code, said = 1, None
        try:
            with open(os.devnull, "w") as silent:
                os.dup2(silent.fileno(), 1)
                os.dup2(silent.fileno(), 2)
            torch.set_num_threads(1)
            said, code = call(), 0
        except BaseException:
            said = traceback.format_exc()
        os.write(writing, json.dumps(said).encode())
        os._exit(code)
    os.close(writing)
    began = time.monotonic()
    end = LIMIT if kill_after is None else kill_after
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() - began > end:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
            break
        time.sleep(0.001)
    with open(reading, "rb") as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(ended[1])
    if kill_after is None and time.monotonic() - began > LIMIT:
        return 1, f"took longer than {LIMIT:g} s"
    return code, json.loads(said) if said else None


Files = tuple[tuple[str, str], ...]


def files_in(folder: Path) -> Files:
    """The names below a folder with the digests of what they hold."""
    found = []
    for path in sorted(folder.rglob("*")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found.append((str(path.relative_to(folder)), digest))
    return tuple(found)


class Harness:
    """One work, and what it leaves where nothing breaks it off.

    Arguments:
        name: the work's, in `WORKS`.
        root: an empty folder.
    """

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.work = name, (WORKS | CARELESS)[name]
        self.root = root / name.replace("/", "-")
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self.before = self.root / "before"
        self.before.mkdir()
        self._must(lambda: self.work.begin(self.before))
        self.old: State = self._must(lambda: self.work.state(self._copy("old")))
        self._must(lambda: self._learnt(self._copy("whole")), learning=True)
        began = time.monotonic()
        self.changes, unseen = self._must(lambda: self._counted(self._copy("whole")))
        self.seconds = time.monotonic() - began
        self.unseen = [file for file in unseen if not file.endswith(self.work.foreign or "/")]
        self.ended = files_in(self.root / "whole")
        self.whole: State = self._must(lambda: self.work.state(self.root / "whole"))
        self.known: dict[Files, str | None] = {files_in(self.before): None}

    def at(self, number: int | None, how: str, kill_after: float | None = None) -> dict[str, Any]:
        """Break the work off at a change, or after some seconds, and say what is wrong then; `None` if nothing is."""
        folder = self._copy("broken")
        code, said = forked(lambda: self._broken(folder, number, how), kill_after)
        wrong = self._left(folder, code, said, how)
        what = self.changes[number - 1] if number else f"after {kill_after:.3f} s"
        return {"work": self.name, "how": how, "at": number, "what": what, "code": code, "wrong": wrong}

    def _left(self, folder: Path, code: int, said: Any, how: str) -> str | None:
        if code == 1 and how != "full":
            return f"the work failed by itself: {said}"
        left = files_in(folder)
        # What is left is all that a reader and the next start see: the same files have the same fate.
        if left not in self.known:
            code, said = forked(lambda: self._again(folder))
            self.known[left] = said or (f"what is left stands in the way: it ended by {code}" if code else None)
        return self.known[left]

    def _again(self, folder: Path) -> str | None:
        step = "what is left cannot be read"
        try:
            for part, found in self.work.state(folder).items():
                if found not in (self.old.get(part), self.whole.get(part)):
                    return f"{part} is neither old nor whole"
            step = "the work cannot be started again"
            self.work.work(folder)
            if files_in(folder) == self.ended:
                return None
            step = "what it ends as cannot be read"
            state = self.work.state(folder)
        except BaseException:
            return f"{step}: {traceback.format_exc()}"
        return None if state == self.whole else f"started again it ends as {state}, not as {self.whole}"

    def _learnt(self, folder: Path) -> list[str]:
        """The modules that the work imports on its way, of which a fork has to know beforehand."""
        before = set(sys.modules)
        self.work.work(folder)
        self.work.state(folder)
        return sorted(set(sys.modules) - before)

    def _broken(self, folder: Path, number: int | None, how: str) -> None:
        if number is not None:
            FailingDisk(folder, number, how).install()  # type: ignore[arg-type]
        self.work.work(folder)

    def _counted(self, folder: Path) -> tuple[list[str], list[str]]:
        disk = FailingDisk(folder)
        disk.install()
        self.work.work(folder)
        return disk.changes, disk.unseen()

    def _copy(self, name: str) -> Path:
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.before, folder)
        return folder

    def _must(self, call: Callable[[], Any], learning: bool = False) -> Any:
        code, said = forked(call)
        if code:
            raise RuntimeError(f"{self.name}: {said}")
        for name in said if learning else ():
            with suppress(Exception):
                importlib.import_module(name)
        return said


def at_changes(
    name: str, root: Path, hows: Sequence[How], breaks: int | None, done: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Break a work off at each change, in each of some ways, but those that are done; or about so often, evenly."""
    try:
        harness = Harness(name, root)
    except RuntimeError as error:
        yield {"work": name, "how": "unbroken", "at": None, "what": "", "wrong": str(error)}
        return
    if harness.unseen:
        yield {"work": name, "how": "unbroken", "at": None, "what": "", "wrong": f"written past: {harness.unseen}"}
    ways = [(number, how) for number in range(1, len(harness.changes) + 1) for how in hows]
    every = 1 if breaks is None else max(1, len(ways) // breaks)
    # A stride that their number divides would fail in one way alone.
    known = {(one["at"], one["how"]) for one in done if one["work"] == name}
    for number, how in ways[:: every + (every > 1 and every % len(hows) == 0)]:
        if (number, how) not in known:
            yield harness.at(number, how)


def random_kills(names: list[str], root: Path, kills: int, seed: int) -> Iterator[dict[str, Any]]:
    """Kill works at random moments, one after the other; one that came to its end before does not count."""
    generator, harnesses = random.Random(seed), {}
    for name in itertools.cycle(names if kills > 0 else ()):
        harness = harnesses[name] = harnesses.get(name) or Harness(name, root)
        found = harness.at(None, "killed", generator.uniform(0.0, harness.seconds))
        if found["code"] == -signal.SIGKILL or found["wrong"]:
            yield found
            kills -= 1
        else:
            harness.seconds *= 0.8  # it was slower when it was measured, beside others
        if not kills:
            return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("works", nargs="*")
    parser.add_argument("--breaks", type=int)
    parser.add_argument("--how", choices=HOWS, action="append")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    names = given.works or list(WORKS)
    done = [json.loads(line) for line in given.into.open()] if given.into and given.into.exists() else []
    if given.kills:
        left = given.kills - sum(one["at"] is None for one in done)
        found = random_kills(names, given.out, left, given.seed + len(done))
    else:
        found = (one for name in names for one in at_changes(name, given.out, given.how or HOWS, given.breaks, done))
    with given.into.open("a") if given.into else nullcontext(sys.stdout) as into:
        for one in found:
            print(json.dumps(one), file=into, flush=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
