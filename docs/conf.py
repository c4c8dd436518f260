"""The documentation as a site, ``make docs``: the pages beside this file, those of the root, and one a public name."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import hemline
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

DOCS = Path(__file__).parent
ROOT = DOCS.parent
ROOMS = ("datasets", "decisions", "evaluation", "forecasting", "recommendation", "vision")
OF_THE_ROOT = {
    "README.md": "readme",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
}
"""Files of the root that are pages, and how the pages are called."""

project = "Hemline"
author = "The Hemline authors"
copyright = author
version = release = hemline.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "jupyter_execute", "conf.py"]
html_theme = "furo"
html_title = f"Hemline {release}"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
suppress_warnings = ["myst.header"]

# A word in single backticks of a docstring is a name of Python, linked where it has a page.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_numpy_docstring = False

myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_output_stderr = "remove"
copybutton_prompt_text = "$ "


def page_of(room: str, name: str) -> str:
    """The text of the page of a public name."""
    found = getattr(importlib.import_module(f"hemline.{room}"), name)
    kind = "class" if inspect.isclass(found) else "function"
    return f"# {name}\n\n```{{eval-rst}}\n.. py:currentmodule:: hemline.{room}\n\n.. auto{kind}:: {name}\n```\n"


def write_pages(_: Sphinx) -> None:
    """Write the pages of the public names and of the files of the root."""
    folder = DOCS / "reference"
    folder.mkdir(exist_ok=True)
    pages = {
        folder / f"{room}.{name}.md": page_of(room, name)
        for room in ROOMS
        for name in importlib.import_module(f"hemline.{room}").__all__
    }
    for file, page in OF_THE_ROOT.items():
        pages[DOCS / f"{page}.md"] = re.sub(r"(\]\()(?![a-z]+:|#)", r"\1../", (ROOT / file).read_text(encoding="utf-8"))
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in set(folder.glob("*.md")) - set(pages):
        path.unlink()


def link_pages(_: Sphinx, page: str, source: list[str]) -> None:
    """Turn links to files of the root into links to their pages, and names in the list of public names into links."""
    text = source[0].replace("](../docs/", "](")
    for file, of_root in OF_THE_ROOT.items():
        text = text.replace(f"](../{file}", f"]({of_root}.md")
    if page == "api":
        for room in ROOMS:
            before, heading, rest = text.partition(f"## hemline.{room}\n")
            section, mark, after = rest.partition("\n## ")
            section = re.sub(r"^\| `(\w+)` \|", rf"| [`\1`](reference/{room}.\1.md) |", section, flags=re.MULTILINE)
            text = before + heading + section + mark + after
        text += "\n```{toctree}\n:hidden:\n:glob:\n\nreference/*\n```\n"
    source[0] = text


def see_every_name(app: Sphinx, error: Exception | None) -> None:
    """Fail where a public name has not been documented."""
    if error is not None:
        return
    known = app.env.domains["py"].objects
    missing = [
        f"hemline.{room}.{name}"
        for room in ROOMS
        for name in importlib.import_module(f"hemline.{room}").__all__
        if f"hemline.{room}.{name}" not in known
    ]
    if missing:
        raise ExtensionError(f"public names without a page: {', '.join(missing)}")


def setup(app: Sphinx) -> None:
    """Hang the functions above into the build."""
    app.connect("builder-inited", write_pages)
    app.connect("source-read", link_pages)
    app.connect("build-finished", see_every_name)
