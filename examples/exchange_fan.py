"""The picture of docs/reference_tables.md: a joint forecast of eight exchange rates, two of them shown, and their sum.

Run: HEMLINE_DATA=FOLDER python examples/exchange_fan.py [FILE.png]
"""

import sys

from hemline.datasets import get_dataset
from hemline.evaluation import plot_forecast
from hemline.forecasting import build_model

# The archive numbers its series; their order is that of Lai et al. 2018, arXiv 1703.07015.
CURRENCIES = ["Australia", "Britain", "Canada", "Switzerland", "China", "Japan", "New Zealand", "Singapore"]

data = get_dataset("exchange_rate_nips")
predictor = build_model("gru-maf", data.metadata).train(data.train)
forecast = next(predictor.predict([data.history(0)], num_samples=400))
shown = ["Australia", "Switzerland", "sum"]
figure = plot_forecast(forecast, data.test[0], item_ids=CURRENCIES, series=shown, unit="US dollars")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "forecast.png", dpi=130)
