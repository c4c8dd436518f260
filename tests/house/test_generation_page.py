"""The page on generated photos: its walk from a design to a scenario runs."""

import pytest
from page import run_page

pytest.importorskip("tokenizers", reason="the page reads photos, which needs the extra 'vision'")


# In the simulated shop some prices to come were never seen, which is said.
@pytest.mark.filterwarnings("ignore:covariates")
def test_the_page_runs_from_a_design_to_a_scenario(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = run_page("generation.md")
    units, red, blue = (scope[name] for name in ("units", "red", "blue"))
    # Without their vectors both would be an article like all others. Red sells twice what blue sells in this world.
    assert 1.4 < units[red, "baseline"].mean() / units[blue, "baseline"].mean() < 4
    assert units[red, "cheaper"].mean() > 1.02 * units[red, "baseline"].mean()
    # What a launch takes from an article that is as little like it as these is little.
    assert units["dress_2", "cheaper"].mean() == pytest.approx(units["dress_2", "baseline"].mean(), rel=0.03)
