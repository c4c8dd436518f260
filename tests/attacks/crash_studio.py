"""What the studio writes, as works that can be started again: labels, answers of a crowd, pictures, vectors."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from crash_pictures import shop
from crash_works import State, Work, digest, nothing
from hemline.datasets.pictures.labels import LabelSpace
from hemline.datasets.pictures.source import open_source
from hemline.decisions.markdowns.ladder import Schedules
from hemline.decisions.markdowns.page import write_plan
from hemline.decisions.markdowns.plan import Judged, MarkdownPlan
from hemline.decisions.markdowns.report import PRICES, read_plan
from hemline.decisions.markdowns.terms import Terms
from hemline.runtime.run_folder import RunFolder
from hemline.vision.classify.inputs import READ, kept_vectors, photo_vectors
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.product_network import NetworkConfig, ProductNetwork

CHANGED = b"item_id,colour,shape\ni0,blue,bar\ni1,red,bar\ni2,green,bar\n"


def studio_of(folder: Path):  # type: ignore[no-untyped-def]
    """The labels of a few photos, and the database in which they are changed."""
    from hemline.studio.database.open import Database
    from hemline.studio.labels.labelling import Labelling

    (folder / "it").mkdir(exist_ok=True)
    database = Database(f"sqlite:///{folder / 'it' / 'studio.db'}")
    return Labelling(open_source(shop(folder)), shop(folder), database), database


def begun(folder: Path) -> None:
    studio_of(folder)[1].close()


def brought(folder: Path) -> None:
    """Labels of two columns change, all or none."""
    from hemline.studio.labels.imports import told_by, wishes_of
    from hemline.studio.labels.ledger import change_all

    labelling, database = studio_of(folder)
    standing = labelling.standing
    wishes = wishes_of(labelling, standing, told_by(labelling, standing, "a.csv", CHANGED))
    change_all(database, wishes, who="Ann", why="a.csv", told=labelling.told)
    database.close()


def labels(folder: Path) -> State:
    """What the ledger comes to, which the table of labels has to say too."""
    from hemline.studio.database.tables import CurrentLabel, LedgerEntry
    from hemline.studio.labels.ledger import read, replayed
    from sqlalchemy import select

    if not (folder / "it" / "studio.db").exists():
        return {}
    _, database = studio_of(folder)
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry)).all()
        rows = session.scalars(select(CurrentLabel)).all()
    database.close()
    standing = {(row.task, row.item_id): (row.version, read(row.labels)) for row in rows}
    if replayed(entries) != standing:
        raise ValueError("the ledger and the table of labels say different things")
    return {"labels": digest(repr(sorted(standing.items())))}


def asked(folder: Path) -> None:
    from hemline.studio.labels.crowd import make_batch

    labelling, database = studio_of(folder)
    make_batch(database, labelling, "Ann", "colour", "Which colour?", ["i0", "i1", "i2"], 3)
    database.close()


def answered(folder: Path) -> None:
    """Answers are kept, all or none."""
    from hemline.studio.labels.crowd import batch_of, take_answers

    _, database = studio_of(folder)
    with database.reading() as session:
        batch = batch_of(session, 1)
    take_answers(database, batch, [(item, f"w{worker}", "red") for item in batch.items for worker in range(3)])
    database.close()


def answers(folder: Path) -> State:
    """How many answers there are."""
    from hemline.studio.labels.crowd import batch_of, tally

    _, database = studio_of(folder)
    with database.reading() as session:
        count = tally(session, batch_of(session, 1)).answers
    database.close()
    return {"answers": str(count)}


def pictured(folder: Path) -> None:
    from hemline.studio.labels.photos import Thumbnails

    labelling, database = studio_of(folder)
    for number in range(3):
        Thumbnails(labelling, folder / "it" / "thumbnails").path(f"i{number}", 0, "small")
    database.close()


def pictures(folder: Path) -> State:
    """The small pictures, each whole."""
    from PIL import Image

    told = {}
    for path in sorted((folder / "it" / "thumbnails").rglob("*.jpg")):
        with Image.open(path) as opened:
            told[path.name] = digest(np.asarray(opened).tobytes())
    return told


def seen(folder: Path) -> None:
    """What a network that stays as it is sees of photos."""
    source = open_source(shop(folder))
    backbone = build_backbone("small-cnn", size=16, widths=(4,))
    for value in backbone.state_dict().values():
        value.fill_(1)
    network = ProductNetwork(backbone=backbone, labels=LabelSpace(()), config=NetworkConfig(size=16, widths=(4,)))
    with kept_vectors(str(folder / "it" / "vectors")):
        photo_vectors(network, source.load(16), mirrored=False, device="cpu")


def vectors(folder: Path) -> State:
    """The kept vectors."""
    place = folder / "it" / "vectors" / READ
    run = RunFolder(str(place))
    return {
        path.name: digest(run.read_tensors(path.name)["vectors"].numpy().tobytes())
        for path in sorted(place.glob("*.safetensors"))
    }


def priced(folder: Path) -> None:
    """A plan of prices."""
    ones = np.ones(2)
    schedules = (Schedules((0, 1), 3),) * 2
    terms = Terms(("a", "b"), 50 * ones, np.array([[10, 8.0]] * 2), 0 * ones, 0 * ones, ones, schedules, 5.0, 0.9, 3)
    sold = np.random.default_rng(0).poisson(4, size=(2, 3, 40)).astype(float)
    steps = np.array([[0, 1, 1], [0, 0, 0]])
    judged = {name: Judged(steps * (name == "plan"), sold, terms) for name in ("plan", "no markdown")}
    write_plan(MarkdownPlan(("a", "b"), pd.date_range("2024-01-01", periods=3), terms, judged), folder / "it")


def prices(folder: Path) -> State:
    """The report of a plan, as the studio reads it; and its tables and page, each whole."""
    place, told = folder / "it", {}
    if (place / PRICES).exists():
        told["report"] = digest(repr(read_plan(place)))
    for name in ("plan.csv", "rules.csv"):
        if (place / name).exists():
            told[name] = digest((place / name).read_bytes())
    if (place / "plan.html").exists() and not (place / "plan.html").read_text().rstrip().endswith("</html>"):
        raise ValueError("half a page")
    return told


STUDIO: dict[str, Work] = {"plan": Work(nothing, priced, prices), "photo-vectors": Work(nothing, seen, vectors)}
if all(find_spec(package) for package in ("sqlalchemy", "alembic", "babel")):
    # SQLite writes past Python: what a failing disk does not see, kills do.
    past = (".db", "-journal", "-wal", "-shm")
    STUDIO |= {
        "studio-import": Work(begun, brought, labels, past),
        "studio-answers": Work(asked, answered, answers, past),
        "studio-pictures": Work(begun, pictured, pictures, past),
    }
