"""What the command line imports before it answers, counted in modules, since seconds depend on the machine."""

import json
import subprocess
import sys

import pytest

SLOW = ("torch", "matplotlib", "gluonts", "lightning", "scipy", "pandas", "pyarrow", "requests", "transformers")
ANSWER = """
import json, sys
from hemline import cli
sys.argv[1:] = json.loads(sys.argv[1])
try:
    cli.main()
except SystemExit as end:
    packages = sorted({name.partition(".")[0] for name in sys.modules})
    print("\\n" + json.dumps([end.code or 0, len(sys.modules), packages]))
"""


def answered(*words: str) -> tuple[int, int, set[str]]:
    """The exit status of a command, how many modules it imported and of which packages."""
    done = subprocess.run([sys.executable, "-c", ANSWER, json.dumps(words)], capture_output=True, text=True, check=True)
    status, modules, packages = json.loads(done.stdout.splitlines()[-1])
    return status, modules, set(packages)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["nope"], 2),
        (["train", "--nope"], 2),
        (["train", "--help"], 0),
        (["table", "--help"], 0),
        (["vision", "classify", "train", "--help"], 0),
        (["simulate", "--seed", "8.9"], 2),
        (["data", "describe", "nope.csv"], 1),
        (["backtest", "--dataset", "nope", "--models", "nope", "--out", "x"], 1),
        (["table", "nope"], 1),
        (["report", "nope"], 1),
        (["train", "--dataset", "nope", "--model", "gru-maf", "--out", "x"], 1),
        (["forecast", "--predictor", "nope", "--dataset", "nope", "--out", "x.csv"], 1),
        (["vision", "classify", "test", "--data", "nope", "--checkpoint", "nope"], 1),
        (["models", "list"], 0),
    ],
    ids=str,
)
def test_words_are_answered_without_the_libraries_that_calculate(words, status):
    answer = answered(*words)
    assert answer[0] == status
    assert answer[2] & set(SLOW) == set()
    assert answer[1] < 700


def test_a_list_of_datasets_reads_tables_at_most():
    status, _, packages = answered("data", "list")
    assert status == 0
    assert packages & {"torch", "matplotlib", "gluonts", "lightning", "scipy"} == set()


def test_the_package_imports_nothing():
    count = "import sys; before = set(sys.modules); import hemline; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)
    assert done.stdout == "['hemline']\n"


@pytest.mark.parametrize(
    "module",
    ["vision.classify.classifier", "vision.classify.judging", "vision.search.look_alikes", "vision.captions.annotator"],
)
def test_what_reads_a_classifier_imports_nothing_that_trains_one(module):
    code = f"import sys, hemline.{module}; print('lightning' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
