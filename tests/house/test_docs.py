"""The site builds without a warning, has a page of each public name, and no local link leads nowhere."""

import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("myst_nb", reason="the site needs the extra `docs`")
pytest.importorskip("tokenizers", reason="the pages of the pictures need the extra `vision`")

ROOT = Path(__file__).parents[2]
ROOMS = ("datasets", "decisions", "evaluation", "forecasting", "recommendation", "vision")
LINK = re.compile(r"(?<!`)\[[^\]`]*(?:`[^`]*`[^\]`]*)*\]\(([^)\s]+)\)")


class Page(HTMLParser):
    """The links of a page and the places in it that links can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id":
                self.places.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site; its notebooks are run by `make docs`, and cell by cell in a test of their own."""
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-D", "nb_execution_mode=off", "-b", "html"]
    done = subprocess.run([*build, ROOT / "docs", out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_page_that_says_what_it_is(site, room):
    face = importlib.import_module(f"hemline.{room}")
    listed = Page((site / "api.html").read_text()).links
    for name in face.__all__:
        page = f"reference/{room}.{name}.html"
        assert f"hemline.{room}.{name}" in Page((site / page).read_text()).places
        assert any(link.startswith(page) for link in listed), name


def test_no_local_link_of_the_site_leads_nowhere(site):
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) > 60
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = not parts.fragment or target.suffix != ".html" or unquote(parts.fragment) in pages[target].places
            if not target.exists() or not known:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert not dead


def slugs(text: str) -> set[str]:
    """The anchors that a page of Markdown gets on the web."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_local_link_of_the_pages_as_they_are_read_in_the_repository_leads_nowhere():
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    pages = [ROOT / line for line in tracked.stdout.splitlines()] or [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    assert ROOT / "README.md" in pages
    dead, seen = [], 0
    for page in pages:
        for link in LINK.findall(page.read_text()):
            path, _, place = link.partition("#")
            if "://" in link or link.startswith("mailto:") or link == "readme.md":
                continue
            seen += 1
            target = page.parent / path if path else page
            known = not place or target.suffix != ".md" or (target.exists() and place in slugs(target.read_text()))
            if not target.exists() or not known:
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    assert seen > 50
    assert not dead


def test_the_glossary_has_forty_words_at_most_in_their_order():
    words = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)[1:]
    assert len(words) <= 40
    assert words == sorted(words, key=str.lower)


def test_every_page_stands_in_the_contents():
    contents = (ROOT / "docs" / "index.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", contents, re.MULTILINE), page.name
