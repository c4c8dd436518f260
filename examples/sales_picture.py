"""The picture of the README: forecasts of two articles of a simulated shop and of all it sells, with what happened.

Run: python examples/sales_picture.py [FILE.png]
"""

import sys

from hemline.datasets import simulated_sales
from hemline.evaluation import plot_forecast
from hemline.forecasting import build_model
from matplotlib.dates import date2num

SHOWN = ["dress_1", "coat_3"]
WINDOW = 0  # of three test windows, which the model has not seen

data = simulated_sales()
names = data.metadata.item_ids
predictor = build_model("analog", data.metadata).train(data.train)
forecast = next(predictor.predict([data.history(WINDOW)], num_samples=1000))

happened = data.test[WINDOW]
figure = plot_forecast(forecast, happened, item_ids=names, series=[*SHOWN, "sum"], history=32, unit="pieces a week")
for axes, article in zip(figure.axes, SHOWN, strict=False):
    price = happened.channels.values[happened.channels.names.index(f"price[{article}]")]
    usual = sorted(price)[-len(price) // 3]
    weeks = axes.lines[0].get_xdata()
    for week, paid in zip(weeks, price[happened.length - len(weeks) :], strict=True):
        if paid < 0.86 * usual:
            middle = date2num(week)
            axes.axvspan(middle - 3.5, middle + 3.5, color="#e8b04a", alpha=0.25, lw=0, zorder=0)
    axes.set_title(f"{article}, weeks of markdowns shaded", loc="left")
figure.axes[2].set_title(f"all {len(names)} articles together", loc="left")
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "sales.png", dpi=110)
