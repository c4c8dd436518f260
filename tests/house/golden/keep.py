"""Write the stored files anew, with the library that is imported: `python tests/house/golden/keep.py`.

They are to be written by the version before a change and read by those after it: only a new kind of predictor, or a
format that is given up for good, is a reason to write them again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from pathlib import Path

from golden_commands import train_classifier
from golden_data import STORED, write_pictures, write_sales
from golden_predictors import write_backtest, write_predictors, write_training

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if not (STORED / "sales.csv").exists():
        write_sales()
    writers = {"predictors": write_predictors, "backtest": write_backtest, "training": write_training}
    for name, write in writers.items():
        shutil.rmtree(STORED / name, ignore_errors=True)
        (STORED / name).mkdir(parents=True)
        os.chdir(STORED / name)  # what is written holds the path that is given, and no machine's own
        write(Path())
        print(name, flush=True)
    shutil.rmtree(STORED / "classifier", ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        train_classifier(["--data", str(write_pictures(Path(folder) / "shop"))], STORED / "classifier")
