"""The page of models says what the house knows of them."""

import re
import tomllib
from pathlib import Path

from hemline.datasets import Metadata
from hemline.forecasting import MODELS, build_model

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()


def test_the_table_lists_every_model_as_it_is_known():
    rows = [
        f"| `{name}` | {model.about} | {model.together or '-'} | {'yes' if model.channels else '-'} "
        f"| {model.sales_set} |"
        for name, model in MODELS.items()
    ]
    assert "|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n" in PAGE


def test_the_settings_shown_can_be_set():
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    for name, settings in tomllib.loads(shown).items():
        model = build_model(name, Metadata("own", "D", 7, ("a", "b")), settings)
        assert model.train_config.patience == settings["train"]["patience"]
