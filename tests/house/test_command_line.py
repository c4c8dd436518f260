"""What the command line says beside its results."""

import subprocess
import sys
from unittest.mock import patch

import pytest
import typer
from hemline import cli
from rich.markup import render

WARNS = """
import warnings
from hemline import cli

cli.mount = lambda: None
cli.app = lambda: warnings.warn("two\\n lines")
cli.main()
"""


FAILS = """
import typer
from hemline import cli

cli.mount = lambda: None


@cli.app.command()
def fail():
    raise ValueError("no such thing")


cli.main()
"""


@pytest.mark.parametrize("words", [["fail", "--debug"], ["--debug", "fail"]])
def test_debug_shows_the_traceback_before_and_behind_a_command(words):
    plain, debug = (
        subprocess.run([sys.executable, "-c", FAILS, *given], capture_output=True, text=True)
        for given in (["fail"], words)
    )
    assert plain.stderr == "hemline: no such thing\n"
    assert debug.stderr.startswith("Traceback")


@pytest.mark.parametrize(
    ("options", "said"), [([], "warning: two lines\n"), (["--debug"], "<string>:6: UserWarning: two\n lines\n")]
)
def test_a_warning_is_one_line_and_has_its_place_when_debugging(options, said):
    done = subprocess.run([sys.executable, "-c", WARNS, *options], capture_output=True, text=True, check=True)
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


def test_a_model_may_be_a_file_of_the_current_folder(tmp_path):
    (tmp_path / "own_models.py").write_text(
        "from hemline.forecasting import SeasonalNaivePredictor\n\n\n"
        "def build(metadata):\n    return SeasonalNaivePredictor(metadata.prediction_length, metadata.season)\n"
    )
    (tmp_path / "grid.toml").write_text(
        'out = "runs"\ndatasets = ["simulated_sales"]\nmodels = ["own_models:build"]\nworkers = 2\n'
    )
    # As the installed command does, which has the folder of the command and not the current one on its path.
    command = "import sys; sys.path.remove(''); from hemline import cli; cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "table", "--run", "grid.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "own_models:build" in done.stdout
