"""The texts of pages in another language, from the files of gettext beside this one."""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Languages of pages, by the names that those who speak them know."""


@cache
def translations(language: str) -> gettext.NullTranslations:
    """What `gettext` says in a language; English, in which templates are written, needs no file."""
    place = Path(__file__).parent / f"{language}.po"
    if language not in LANGUAGES or not place.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with place.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def chosen_language(asked: str, browser: str) -> str:
    """The language of a page.

    Arguments:
        asked: what somebody chose, empty for nothing.
        browser: the ``Accept-Language`` of their browser.

    Example:
        >>> chosen_language("", "fr-CH, de;q=0.9, en;q=0.8"), chosen_language("en", "de"), chosen_language("", "")
        ('de', 'en', 'en')
    """
    if asked in LANGUAGES:
        return asked
    for part in browser.split(","):
        language = part.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"
