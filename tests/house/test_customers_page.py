"""The page on customers runs, its commands too."""

from pathlib import Path

import pandas as pd
from hemline.recommendation import load_recommender
from page import run_page


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = run_page("customers.md")
    assert load_recommender("runs/dna").item_ids == scope["shop"].item_ids
    assert "Reliability" in Path("runs/later.html").read_text()
    assert scope["sales"].train[0].static_real.shape == (5, 257)
    rows = pd.DataFrame(scope["dna"].recommend(["c27"], 5))
    assert rows["rank"].tolist() == [1, 2, 3, 4, 5]
