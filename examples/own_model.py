"""Compose a model of your own, an LSTM with Student-t emissions, train it and backtest it.

Run: python examples/own_model.py [DATASET]
"""

import sys

from hemline.datasets import get_dataset, simulated_sales
from hemline.evaluation import backtest, table
from hemline.forecasting import ForecastEstimator, Recurrent, StudentT, TrainConfig, build_model

data = get_dataset(sys.argv[1]) if len(sys.argv) > 1 else simulated_sales()

lstm_student_t = ForecastEstimator(
    freq=data.metadata.freq,
    prediction_length=data.metadata.prediction_length,
    encoder=Recurrent("lstm", size=32),
    head=StudentT(),
    train=TrainConfig(max_epochs=5, batches_per_epoch=50),
)
models = {"lstm-student-t": lstm_student_t, "seasonal-naive": build_model("seasonal-naive", data.metadata)}
print(table(backtest(models, data, seeds=[0])))
