"""The blocks of the page on searches and curves run."""

import re
import tomllib
from pathlib import Path

import pytest
from hemline.datasets import simulated_sales
from hemline.evaluation.search.space import read_space
from hemline.forecasting import build_model

PAGE = (Path(__file__).parents[2] / "docs" / "tune.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_searches_and_writes_curves(tmp_path, monkeypatch, capsys):
    pytest.importorskip("optuna", reason="needs the extra `tune`")
    monkeypatch.chdir(tmp_path)
    scope = {}
    for text in blocks("python"):
        exec(compile(text.replace("max_epochs=3", "max_epochs=1, batches_per_epoch=2"), "tune.md", "exec"), scope)
    assert len(scope["found"].trials) == 5
    assert (tmp_path / "runs" / "tune" / "best.toml").exists()
    # What the page says in a comment is what is printed.
    assert capsys.readouterr().out.rstrip().endswith("epoch,learning_rate,step,train_loss,validation_loss")


def test_the_space_of_the_page_is_one():
    (text,) = blocks("toml")
    model = build_model("gru-maf", simulated_sales(articles=2, weeks=80).metadata)
    assert len(read_space(tomllib.loads(text), model)) == 2
