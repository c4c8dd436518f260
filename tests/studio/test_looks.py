"""Look-alikes in the studio: what is shown is what the index finds, with its filters."""

from __future__ import annotations

import copy
import io
import re
import struct
import zlib
from html import unescape

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.datasets.pictures.source import open_source
from hemline.studio.labels import uploads
from hemline.vision.search.look_alikes import build_index, find_similar
from hemline.vision.similarity.look_encoder import ANY_COLOUR

from .rooms import SCRIPT


@pytest.fixture(scope="module")
def index(shop, tmp_path_factory):
    return build_index(open_source(str(shop)), str(tmp_path_factory.mktemp("looks") / "index"))[0]


@pytest.fixture
def looking(studio, browse, index):
    studio.index = index
    return browse("Vera", "viewer")


def items(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<li class="card">\s*<a href="/looks\?item=([^&"]+)', page)]


def test_a_click_shows_the_neighbours_that_the_index_finds(looking, index):
    assert items(looking.get("/looks?item=i1").text) == [hit.item_id for hit in find_similar(index, ["i1"], k=24)]
    expected = find_similar(index, ["i1"], k=24, weights=ANY_COLOUR)
    assert items(looking.get("/looks?item=i1&colours=any").text) == [hit.item_id for hit in expected]


def test_neighbours_are_filtered_and_others_taken_away(looking, index):
    shown = items(looking.get("/looks?item=i1&where=size%3Dsmall").text)
    assert shown == [hit.item_id for hit in find_similar(index, ["i1"], k=24, where=["size=small"])]
    assert all(int(item[1:]) % 2 == 0 for item in shown)
    expected = find_similar(index, ["i1"], k=24, unlike=["i4"])
    assert items(looking.get("/looks?item=i1&unlike=i4").text) == [hit.item_id for hit in expected]


def test_articles_to_begin_with_are_found_by_words(looking):
    assert items(looking.get("/looks?words=RED+thing").text) == [f"i{3 * number}" for number in range(24)]
    page = looking.get("/looks?item=i4&where=size%3D" + SCRIPT.replace("<", "%3C").replace(">", "%3E")).text
    assert items(page) == ["i7"]
    assert "<script>alert" not in page


@pytest.mark.parametrize("query", ["item=no", "item=i1&where=no", "item=i1&where=no%3Dx", "item=i1&colours=no"])
def test_what_is_not_in_the_index_is_said_in_a_line(looking, query):
    answer = looking.get(f"/looks?{query}")
    assert answer.status_code == 400
    assert re.search(r'role="alert">[a-z]+: expected ', answer.text)


def test_a_photo_by_its_path_is_no_question(looking, shop):
    answer = looking.get("/looks", params={"item": str(shop.parent / "photos" / "1.png")})
    assert answer.status_code == 400, "a page opens no file that somebody names"
    assert looking.get("/looks", params={"item": "i1", "unlike": str(shop)}).status_code == 400


def test_without_an_index_the_menu_has_no_such_page(browse):
    browser = browse()
    assert browser.get("/looks").status_code == 400
    assert "/looks" not in browser.get("/labels").text


def photo(kind="PNG", size=(16, 16), colour=(30, 160, 60)) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((3, 3, 12, 12), fill=colour)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def bring(browser, content: bytes, name="a.png", csrf=None):
    told = {"csrf": browser.secret() if csrf is None else csrf}
    return browser.post("/looks/upload", data=told, files={"file": (name, content)})


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photo_that_is_brought_shows_its_neighbours(looking, index, tmp_path, kind):
    content = photo(kind)
    (tmp_path / "photo").write_bytes(content)
    answer = bring(looking, content, f"green.{kind.lower()}")
    assert items(answer.text) == [hit.item_id for hit in find_similar(index, [str(tmp_path / "photo")], k=24)]
    assert f"green.{kind.lower()}" in answer.text
    key = re.search(r"photo=([\w-]+)", str(answer.url))[1]
    small = looking.get("/looks", params={"photo": key, "where": "size=small", "unlike": "i4"}).text
    expected = find_similar(index, [str(tmp_path / "photo")], k=24, where=["size=small"], unlike=["i4"])
    assert items(small) == [hit.item_id for hit in expected]
    shown = looking.get(f"/looks/photo.jpg?photo={key}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")


def test_the_network_is_opened_once_for_an_index(looking, studio, monkeypatch):
    opened, really = [], uploads.encoder_of
    monkeypatch.setattr(uploads, "encoder_of", lambda index: opened.append(index) or really(index))
    for _ in range(3):
        assert bring(looking, photo()).status_code == 200
    assert opened == [studio.looks]
    studio.uploads.take(other := copy.copy(studio.looks), "Ann", "a.png", photo())
    studio.uploads.take(other, "Ann", "a.png", photo())
    assert opened == [studio.looks, other]


def test_the_network_is_closed_when_nobody_brings_a_photo_and_when_the_studio_ends(looking, studio):
    studio.uploads.idle = 0.05
    bring(looking, photo())
    waiting = studio.uploads._closing
    waiting.join(10)
    assert studio.uploads._open is None
    studio.uploads.idle = 600.0
    bring(looking, photo())
    waiting = studio.uploads._closing
    assert studio.uploads._open is not None
    studio.close()
    assert studio.uploads._open is None
    waiting.join(10)
    assert not waiting.is_alive()


def test_nobody_else_sees_a_photo_that_was_brought(looking, browse):
    key = re.search(r"photo=([\w-]+)", str(bring(looking, photo()).url))[1]
    other = browse("Bob", "admin")
    assert other.get(f"/looks?photo={key}").status_code == 400
    assert other.get(f"/looks/photo.jpg?photo={key}").status_code == 404


def bomb() -> bytes:
    """A PNG of a few hundred kilobytes that says it has 30,000 × 30,000 pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(10**6))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def wide() -> bytes:
    """A whole PNG of 41 megapixels in a few kilobytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("1", (41_000, 1_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "photo: expected a picture of JPEG, PNG, WEBP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "photo: expected a picture"),
        (b"<html><script>alert(1)</script></html>", "photo: expected a picture"),
        (b"%PDF-1.4", "photo: expected a picture"),
        (b"PK\x03\x04" + bytes(100), "photo: expected a picture"),
        (photo("GIF"), "photo: expected a picture"),
        (photo("TIFF"), "photo: expected a picture"),
        (photo()[:-40], "photo: expected a whole picture"),
        (bomb(), "photo: expected"),
        (wide(), "photo: expected at most 40 megapixels, got 41"),
        (photo() + bytes(8 * 2**20), "photo: expected at most 8 megabytes"),
    ],
)
def test_what_is_no_photo_or_too_much_is_refused_in_a_line(looking, studio, content, told):
    answer = bring(looking, content)
    assert answer.status_code == 400
    assert told in answer.text
    assert "/tmp" not in answer.text
    assert len(studio.uploads.kept._kept) == 0


def test_uploads_are_bounded_and_carry_the_secret_of_the_visit(looking, studio):
    assert bring(looking, bytes(16 * 2**20)).status_code == 413
    assert bring(looking, photo(), csrf="no").status_code == 403
    assert looking.post("/looks/upload", data={"csrf": looking.secret()}).status_code == 422
    for _ in range(40):
        studio.uploads.kept.put(f"person {len(studio.uploads.kept._kept)}", None)
    bring(looking, photo())
    assert len(studio.uploads.kept._kept) == 32


def test_a_script_in_the_name_of_a_file_stays_text(looking):
    page = bring(looking, photo(), SCRIPT + '"onerror="alert(1).png').text
    assert "<script>alert" not in page
    assert 'onerror="alert' not in page
