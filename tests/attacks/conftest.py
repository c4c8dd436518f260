"""What every attack needs: folders as the library wrote them, and a file that is there if somebody else's code ran."""

from __future__ import annotations

import http.server
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hemline.datasets import ForecastData, get_dataset
from PIL import Image

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored"
PREDICTORS = STORED / "predictors"


@pytest.fixture(scope="session")
def sales() -> ForecastData:
    """The table that the stored predictors were trained on."""
    return get_dataset(str(STORED / "sales.toml"))


@pytest.fixture
def stored(tmp_path) -> Callable[[str], Path]:
    """A function that copies a stored predictor to where it can be changed."""

    def copied(kind: str) -> Path:
        return Path(shutil.copytree(PREDICTORS / kind, tmp_path / kind))

    return copied


@pytest.fixture
def ran(tmp_path, monkeypatch) -> Iterator[Path]:
    """The file that any of the payloads writes, and ``attacking``, a module that writes it where it is imported."""
    marker = tmp_path / "somebody-ran"
    code = tmp_path / "code"
    code.mkdir()
    (code / "attacking.py").write_text(
        f"import pathlib\nfrom gluonts.model.predictor import RepresentablePredictor\n\n"
        f"pathlib.Path({str(marker)!r}).touch()\n\n\nclass Thing(RepresentablePredictor):\n    pass\n\n\n"
        "def build(metadata):\n    return Thing(1)\n"
    )
    monkeypatch.syspath_prepend(str(code))
    yield marker
    sys.modules.pop("attacking", None)


@dataclass
class Server:
    """A web server of this machine that notes what it is asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    folder = tmp_path / "web"
    folder.mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "a.png")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

        def parse_request(self):
            known = super().parse_request()
            found.asked.append(self.path)
            return known

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield found
    httpd.shutdown()
    httpd.server_close()
    thread.join()
