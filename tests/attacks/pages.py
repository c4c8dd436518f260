"""What is on a page."""

from __future__ import annotations

from html.parser import HTMLParser


class Tags(HTMLParser):
    """The elements of a page, and the attributes that act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.acts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.acts += [name for name, _ in attrs if name.startswith("on")]
