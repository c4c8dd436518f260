"""A page of what was found, with its photos inside: it needs no other file."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from contextlib import nullcontext

from ...datasets.pictures.catalogue import Article, Catalogue
from ...datasets.pictures.photos import load_pictures
from ...runtime.reading.places import without_network
from .index import Hit

_SIDE = 192

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; }
ol { display: flex; flex-wrap: wrap; gap: 1em; list-style: none; padding: 0; }
li { width: 192px; overflow-wrap: anywhere; }
img, .none { width: 192px; height: 192px; background: #eee; display: block; }
.asked li { outline: 2px solid #888; outline-offset: 4px; }
b { display: block; }
small { color: #666; }
"""


def contact_sheet(
    asked: Sequence[str],
    hits: Sequence[Hit],
    *,
    photos: Sequence[str] = (),
    title: str = "",
    fetch: bool = False,
) -> str:
    """An HTML page with the photos that were asked with and the articles that were found.

    All that comes from a table is escaped; photos are decoded by the readers that know their bounds, drawn anew in a
    small size, and stand in the page.

    Arguments:
        asked: what was asked for, in words.
        hits: what was found.
        photos: the photo of each that was asked for.
        title: the heading.
        fetch: whether photos that the index names at addresses on a network are asked for; those that were asked with
            always are.

    Returns:
        The page.
    """
    heading = html.escape(title or "Look-alikes")
    pictures = _thumbnails([photo for photo in photos if photo in asked])
    with nullcontext() if fetch else without_network("the index names it"):
        pictures |= _thumbnails([photo for photo in (*photos, *(hit.photo for hit in hits)) if photo not in pictures])
    first = [
        f"<li>{pictures.get(photo, _NONE)}<b>{html.escape(name)}</b></li>"
        for name, photo in zip(asked, photos, strict=True)
    ]
    rows = []
    for hit in hits:
        labels = ", ".join(f"{column}: {' and '.join(told)}" for column, told in sorted(hit.labels.items()) if told)
        rows.append(
            f"<li>{pictures.get(hit.photo, _NONE)}<b>{html.escape(hit.item_id)}</b>{hit.score:.3f} "
            f"{html.escape(hit.text)}<br><small>{html.escape(labels)}</small></li>"
        )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{heading}</h1>\n"
        f'<ol class="asked">{"".join(first)}</ol>\n<ol>{"".join(rows)}</ol>\n</body></html>\n'
    )


_NONE = '<span class="none" role="img" aria-label="no photo"></span>'


def _thumbnails(addresses: Sequence[str]) -> dict[str, str]:
    """An image element for each photo that can be opened."""
    from PIL import Image

    each = tuple(dict.fromkeys(addresses))
    catalogue = Catalogue(tuple(Article(address, images=(address,)) for address in each))
    pictures = load_pictures(catalogue, _SIDE)
    found = {}
    for pixels, address in zip(pictures.pixels, pictures.addresses, strict=True):
        file = io.BytesIO()
        Image.fromarray(pixels.transpose(1, 2, 0)).save(file, "JPEG", quality=85)
        code = base64.b64encode(file.getvalue()).decode()
        found[address] = f'<img alt="" src="data:image/jpeg;base64,{code}">'
    return found
