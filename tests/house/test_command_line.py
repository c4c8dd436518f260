"""What the command line says beside its results."""

import subprocess
import sys
from unittest.mock import patch

import pytest
import typer
from hemline import __version__, cli
from rich.markup import render

WARNS = """
import warnings
from hemline import cli

cli.mount = lambda: None


@cli.app.command()
def warn():
    warnings.warn("two\\n lines")


cli.main()
"""


FAILS = """
import typer
from hemline import cli

cli.mount = lambda: None


@cli.app.command()
def fail():
    raise {error}


cli.main()
"""


@pytest.mark.parametrize("words", [["fail", "--debug"], ["--debug", "fail"]])
def test_debug_shows_the_traceback_before_and_behind_a_command(words):
    plain, debug = (
        subprocess.run(
            [sys.executable, "-c", FAILS.format(error="ValueError('no such thing')"), *given],
            capture_output=True,
            text=True,
        )
        for given in (["fail"], words)
    )
    assert plain.stderr == "hemline: no such thing\n"
    assert debug.stderr.startswith("Traceback")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("KeyError('price')", "KeyError: 'price'; --debug shows where"),
        ("RuntimeError('no memory\\nfor this')", "RuntimeError: no memory for this; --debug shows where"),
        ("RecursionError()", "RecursionError; --debug shows where"),
        ("FloatingPointError('loss: expected a number')", "loss: expected a number"),
        ("typer.Abort()", "aborted"),
    ],
)
def test_any_error_is_one_line(error, told):
    done = subprocess.run(
        [sys.executable, "-c", FAILS.format(error=error), "fail"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, f"hemline: {told}\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nope"], "No such command 'nope'; see hemline --help"),
        (["fail", "--nope"], "No such option: --nope; see hemline fail --help"),
        (["fail", "x"], "Got unexpected extra argument(s) (x); see hemline fail --help"),
    ],
)
def test_words_that_are_no_command_are_one_line(words, told):
    done = subprocess.run(
        [sys.executable, "-c", FAILS.format(error="AssertionError"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, f"hemline: {told}\n")


def test_the_version_needs_no_command():
    done = subprocess.run([sys.executable, "-m", "hemline", "--version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{__version__}\n", "")


@pytest.mark.parametrize(
    ("options", "said"), [([], "warning: two lines\n"), (["--debug"], "<string>:10: UserWarning: two\n lines\n")]
)
def test_a_warning_is_one_line_and_has_its_place_when_debugging(options, said):
    done = subprocess.run([sys.executable, "-c", WARNS, "warn", *options], capture_output=True, text=True, check=True)
    assert done.stderr == said


def every_help():
    """The help of each command and option, as it is written."""
    with patch.object(cli, "app", typer.Typer()) as app:
        app.command("version")(cli.options)
        cli.mount()
        waiting = [("hemline", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        yield name, command.help or ""
        for each in command.params:
            yield f"{name} {each.name}", getattr(each, "help", None) or ""
        waiting += [(f"{name} {word}", each) for word, each in getattr(command, "commands", {}).items()]


def test_no_word_of_a_help_is_taken_for_markup():
    """As in price[dress_1], of which price was left."""
    texts = dict(every_help())
    assert "hemline simulate set_" in texts
    assert {name: text for name, text in texts.items() if render(text).plain != text} == {}
