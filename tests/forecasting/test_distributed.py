"""Data-parallel training: two processes see together what one with twice the batch sees."""

import json
import subprocess
import sys
import textwrap

import pytest


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one_with_twice_the_batch(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
        import json, os, sys
        import numpy as np, pandas as pd
        from hemline.forecasting import GRUMAFEstimator, MAF, Recurrent, TrainConfig

        devices, batch, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
        target = (50 + np.random.default_rng(0).normal(size=(4, 200)).cumsum(1)).astype(np.float32)
        data = [{"start": pd.Period("2024-01-01", "D"), "target": target}]
        trainer = {"accelerator": "cpu", "devices": devices}
        train = TrainConfig(max_epochs=3, batches_per_epoch=5, batch_size=batch, trainer=trainer)
        parts = {"encoder": Recurrent(size=8, dropout=0.0), "head": MAF(blocks=2, hidden=8)}
        predictor = GRUMAFEstimator("D", 7, train=train, **parts).train(data)
        if os.environ.get("LOCAL_RANK", "0") == "0":
            with open(out, "w") as file:
                json.dump([row["train_loss"] for row in predictor.training_log], file)
        """)
    )
    curves = []
    for devices, batch in ((1, 16), (2, 8)):
        out = tmp_path / f"{devices}.json"
        command = [sys.executable, script, str(devices), str(batch), out]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        curves.append(json.loads(out.read_text()))
    assert len(curves[0]) == 3
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
