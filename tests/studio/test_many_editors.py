"""Fifty editors at once, on SQLite and PostgreSQL, and a server that is shot: nothing acknowledged is lost."""

from __future__ import annotations

import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

import httpx2
from hemline.studio.access.doors import COOKIE
from hemline.studio.access.people import invite, log_in
from hemline.studio.database.open import Database
from hemline.studio.database.tables import CurrentLabel, LedgerEntry
from hemline.studio.labels.ledger import read, replayed
from sqlalchemy import select

from .conftest import free_port

pytestmark = pytest.mark.slow

EDITORS, SECONDS = 50, 30
"""Seconds before the server is shot, and after it is back."""
RETAG = "/labels/retag?run=colours&task=colour"


class Serving:
    """`hemline studio` in a process of its own."""

    def __init__(self, shop: Path, trained: str, out: Path, database: str | None) -> None:
        self.port, self.words = free_port(), [trained, "--data", str(shop), "--out", str(out)]
        self.words += [] if database is None else ["--database", database]
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "hemline", "studio", *self.words, "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "answers at" in line:
                break
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(60)
        self.process.stdout.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_acknowledged_change_is_lost(shop, trained, tmp_path, kind, request):
    address = request.getfixturevalue("postgres") if kind == "postgresql" else None
    out = tmp_path / "studio"
    out.mkdir()
    database = Database(address or f"sqlite:///{out / 'studio.db'}")
    with database.writing() as session:
        tokens = [invite(session, f"editor {number}", "editor") for number in range(EDITORS)]
        session.flush()
        # Not by the page: it lets few log in a minute from one address.
        cookies = [log_in(session, token, 1)[0] for token in tokens]
    serving = Serving(shop, trained, out, address)
    told: list[tuple[str, str]] = []
    """What was acknowledged: who, and why, which no two changes share."""
    conflicts: list[int] = []
    over = threading.Event()

    def work(number: int) -> None:
        draw = random.Random(number)
        where = {"base_url": f"http://127.0.0.1:{serving.port}", "cookies": {COOKIE: cookies[number]}}
        with httpx2.Client(**where, timeout=60) as browser:
            secret = re.search(r'name="csrf" value="([^"]+)"', browser.get("/jobs").text)[1]
            count = 0
            while not over.is_set():
                item, count = f"i{draw.randrange(120)}", count + 1
                version = versions.get(item, 0)
                label = {"to": f"label {draw.randrange(9)}", "new": "yes"}
                fields = {"chosen": f'["{item}", {version}]', "why": f"{count}"} | label
                try:
                    answer = browser.post(RETAG, data=fields, headers={"HX-Request": "true", "X-CSRF-Token": secret})
                except httpx2.TransportError:
                    time.sleep(0.2)  # the server was shot: nothing was acknowledged
                    continue
                if answer.status_code == 429:
                    time.sleep(1)  # all come from one address
                    continue
                assert answer.status_code == 200, answer.text
                versions[item] = int(re.search(r"&#34;, (\d+)\]", answer.text)[1])
                if "1 photo changed" in answer.text:
                    told.append((f"editor {number}", f"{count}"))
                conflicts.append("changed this to" in answer.text)

    versions: dict[str, int] = {}
    workers = [threading.Thread(target=work, args=(number,)) for number in range(EDITORS)]
    for worker in workers:
        worker.start()
    time.sleep(SECONDS)
    serving.end(signal.SIGKILL)
    before = len(told)
    serving.start()
    time.sleep(SECONDS)
    over.set()
    for worker in workers:
        worker.join()
    serving.end(signal.SIGTERM)
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry)).all()
        current = session.scalars(select(CurrentLabel)).all()
    database.close()
    kept = {(entry.who, entry.why) for entry in entries}
    assert len(told) > before > 100, "changes went on after the server was back"
    assert sum(conflicts) > 0
    assert [each for each in told if each not in kept] == []
    assert replayed(entries) == {(row.task, row.item_id): (row.version, read(row.labels)) for row in current}
    print(f"{kind}: {len(told)} changes acknowledged, {sum(conflicts)} conflicts, {len(entries)} entries")
