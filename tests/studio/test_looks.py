"""Look-alikes in the studio: what is shown is what the index finds, with its filters."""

from __future__ import annotations

import re
from html import unescape

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from hemline.datasets.pictures.source import open_source
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
