"""The page on new articles runs, from photos to a launch."""

import numpy as np
import pytest
from page import run_page

pytest.importorskip("tokenizers", reason="the page reads photos, which needs the extra 'vision'")


def test_the_page_runs_from_photos_to_a_launch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = run_page("new_articles.md")
    new = scope["new"]
    assert new.index.tolist() == [f"i{number}" for number in range(50, 60)]
    assert np.corrcoef(np.log(new["mean"]), np.log(new["planted"]))[0, 1] > 0.8
    assert (tmp_path / "runs" / "introduction" / "pair.png").exists()
