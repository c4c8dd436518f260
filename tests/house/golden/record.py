"""The golden record: what this version computes, to the last digit, compared with what another one computed.

    python tests/house/golden/record.py make --out new.json [--parts named,vision]
    python tests/house/golden/record.py compare [OLD.json] NEW.json
    python tests/house/golden/record.py against COMMIT [--parts named,vision]
    python tests/house/golden/record.py accept NEW.json 'named/*/alone/*' --because 'one seed convention'

`compare` ends with 1 where a row differs, and with 2 where the machines do, whose last digits then may. See README.md.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RECORD = HERE / "stored" / "record.json"
PACKAGES = (
    *("gluonts", "kornia", "lightning", "numba", "numpy", "pandas", "pillow", "pyarrow", "safetensors", "scikit-learn"),
    *("scipy", "statsforecast", "torch", "torchmetrics", "transformers"),
)
FEATURES = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "amx_tile")


def environment() -> dict[str, Any]:
    """All that the last digit of a number may depend on beside the code."""
    import numpy as np
    import torch

    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    described = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    lines = dict(line.split(":", 1) for line in described.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    flags = fields.get("flags", "").split()
    return {
        "machine": platform.machine(),
        "processor": fields.get("model name", platform.processor()),
        "family": f"{fields.get('vendor_id')} {fields.get('cpu family')} {fields.get('model')}",
        "features": [flag for flag in FEATURES if flag in flags],
        "numpy_features": np.show_config(mode="dicts")["SIMD Extensions"].get("found", []),
        "torch_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **versions,
    }


def make(parts: list[str]) -> dict[str, Any]:
    """Make a record of these parts, in this process."""
    import hemline
    import torch
    from golden_rows import PARTS, rows_of

    torch.set_num_threads(1)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise SystemExit(f"parts: expected some of {', '.join(PARTS)}, got {', '.join(unknown)}")
    folder = Path(hemline.__file__).resolve().parent
    tell(f"hemline of {commit_of(folder)} in {folder}")
    record: dict[str, Any] = {"commit": commit_of(folder), "environment": environment(), "seconds": {}, "rows": {}}
    for part in parts or PARTS:
        began = time.perf_counter()
        rows = rows_of(part)
        record["rows"].update(rows)
        record["seconds"][part] = round(time.perf_counter() - began, 1)
        tell(f"{part}: {len(rows)} rows in {record['seconds'][part]} s")
    return record


def commit_of(folder: Path) -> str:
    """The commit that is checked out in a folder."""
    done = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The rows that are not equal to the last digit: name, old and new; of parts that both records have.

    NaN equals NaN, and no number equals another one that is only close.
    """
    parts = {name.partition("/")[0] for name in old} & {name.partition("/")[0] for name in new}
    names = [name for name in {**old, **new} if name.partition("/")[0] in parts]
    found = ((name, old.get(name, "missing"), new.get(name, "missing")) for name in names)
    return [(name, first, second) for name, first, second in found if json.dumps(first) != json.dumps(second)]


def compare(old: dict[str, Any], new: dict[str, Any], explained: dict[str, str]) -> int:
    """Print what differs between two records; 0 where nothing does that is not explained."""
    unlike = [key for key in old["environment"] if old["environment"][key] != new["environment"].get(key)]
    for key in unlike:
        print(f"environment: {key}: {old['environment'][key]} -> {new['environment'].get(key)}")
    reasons: dict[str, int] = {}
    failed = added = 0
    for name, first, second in differences(old["rows"], new["rows"]):
        pattern = next((pattern for pattern in explained if fnmatch.fnmatchcase(name, pattern)), None)
        if pattern is not None:
            reasons[pattern] = reasons.get(pattern, 0) + 1
            continue
        if name not in old["rows"]:
            added += 1
            continue
        failed += 1
        print(f"{name}\n    old {json.dumps(first)}\n    new {json.dumps(second)}")
    for pattern, count in reasons.items():
        print(f"explained: {count} rows of {pattern}: {explained[pattern]}")
    print(f"{len(new['rows'])} rows, {added} new, {failed} differ, {sum(reasons.values())} differ and are explained")
    if unlike:
        print("the machines are not alike, so that last digits may differ: use `against`, which makes both here")
        return 2
    return 1 if failed else 0


def against(commit: str, parts: list[str]) -> int:
    """Make the record of a commit, and that of this tree, on this machine, and compare them."""
    with tempfile.TemporaryDirectory() as folder:
        tree, here = Path(folder) / "old" / "hemline", Path(folder) / "new" / "hemline"
        here.parent.mkdir()
        here.symlink_to(ROOT)
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            old, new = (made_in(each, Path(folder) / f"{each.parent.name}.json", parts) for each in (tree, here))
        finally:
            git("worktree", "remove", "--force", str(tree))
    return compare(old, new, json.loads(RECORD.read_text())["explained"])


def made_in(tree: Path, out: Path, parts: list[str]) -> dict[str, Any]:
    """The record of a tree, a folder called hemline, made in a process of its own by this very script.

    Raises:
        SystemExit: it failed, or imported another tree.
    """
    words = [sys.executable, str(HERE / "record.py"), "make", "--out", str(out), "--parts", ",".join(parts)]
    environment = {**os.environ, "PYTHONPATH": str(tree.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    if subprocess.run(words, cwd=tree, env=environment, check=False).returncode:
        raise SystemExit(f"record: failed in {tree}")
    record: dict[str, Any] = json.loads(out.read_text())
    if record["commit"] != commit_of(tree):
        raise SystemExit(f"record: expected hemline of {commit_of(tree)}, got that of {record['commit']}")
    return record


def accept(new: dict[str, Any], pattern: str, because: str) -> None:
    """Replace rows of the stored record, and keep the reason."""
    record = json.loads(RECORD.read_text())
    changed = [each for each in differences(record["rows"], new["rows"]) if fnmatch.fnmatchcase(each[0], pattern)]
    if not changed:
        raise SystemExit(f"accept: no row that differs is called {pattern}")
    for name, _, value in changed:
        record["rows"].pop(name, None)
        if name in new["rows"]:
            record["rows"][name] = value
    record["explained"][pattern] = because
    write(record, RECORD)
    print(f"{len(changed)} rows of {pattern} replaced: {because}")


def git(*words: str) -> None:
    """Call git in this tree."""
    subprocess.run(["git", "-C", ROOT, *words], check=True)


def write(record: dict[str, Any], path: Path) -> None:
    """Write a record, a row a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in record["rows"].items()]
    head = {"explained": {}, **{key: value for key, value in record.items() if key != "rows"}}
    text = json.dumps(head, indent=1)[:-2] + ',\n "rows": {\n  ' + ",\n  ".join(lines) + "\n }\n}\n"
    path.write_text(text)


def tell(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "against"):
        command = commands.add_parser(name)
        command.add_argument("--parts", default="", help="some, with commas between; all if left out")
        if name == "against":
            command.add_argument("commit")
        else:
            command.add_argument("--out", type=Path, required=True)
    command = commands.add_parser("compare")
    command.add_argument("records", type=Path, nargs="+", help="the new record, or the old and the new one")
    command = commands.add_parser("accept")
    command.add_argument("record", type=Path)
    command.add_argument("pattern")
    command.add_argument("--because", required=True)
    given = parser.parse_args()
    if given.command == "compare":
        old, new = (json.loads(path.read_text()) for path in [RECORD, *given.records][-2:])
        return compare(old, new, json.loads(RECORD.read_text())["explained"])
    if given.command == "accept":
        accept(json.loads(given.record.read_text()), given.pattern, given.because)
        return 0
    parts = [part for part in given.parts.split(",") if part]
    if given.command == "against":
        return against(given.commit, parts)
    write(make(parts), given.out)
    return 0


if __name__ == "__main__":
    os.environ.update(ONE_THREAD)  # before numpy and torch are imported, which read it once
    sys.exit(main())
