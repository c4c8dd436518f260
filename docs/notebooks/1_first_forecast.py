# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   language_info:
#     name: python
#     pygments_lexer: ipython3
# ---

# %% [markdown]
# # A first forecast
#
# From a table of sales to a chart, a table of forecasts, and a first check of how good they are. The sales are simulated, so that the
# notebook runs anywhere; put your own file in the place of `sales.csv`.

# %%
import numpy as np
from hemline.datasets import from_sales, simulated_shop
from hemline.evaluation import backtest, plot_forecast, summary
from hemline.forecasting import build_model, forecast_frame

sales = simulated_shop(articles=8, launches=0).table
sales.columns = ["week", "store", "article", "sold", "returned", "price", "promo", "on_shelf", "holiday"]
sales.to_csv("sales.csv", index=False)
sales.head()

# %% [markdown]
# A row says what an article sold in a store in a week, at what price, and whether it was on the shelf. The last eight weeks are planned: they have prices and promotions, and
# no sales.

# %%
sales.groupby("week").agg(sold=("sold", lambda units: units.sum(min_count=1)), price=("price", "mean")).tail(10).round(
    2
)

# %% [markdown]
# ## The dataset
#
# `from_sales` is told which column is which. Stores are summed; weeks with an empty shelf are no demand, and are not learnt from as such.

# %%
shop = from_sales(
    "sales.csv",
    article="article",
    store="store",
    date="week",
    units="sold",
    price="price",
    promotion="promo",
    in_stock="on_shelf",
    prediction_length=8,
    windows=2,
)
shop

# %% [markdown]
# ## The forecast
#
# `analog` learns in seconds. `shop.whole` is all that was observed, `shop.latest` what the weeks to come are forecast from (articles that
# have ended are left out).

# %%
model = build_model("analog", shop.metadata).train([shop.whole])
forecast = next(model.predict([shop.latest], num_samples=500))
names = shop.latest.item_ids
plot_forecast(forecast, shop.latest, item_ids=names, series=[names[0], names[1], "sum"], unit="pieces a week")

# %% [markdown]
# The dark band holds half of the futures, the lightest 95 of a hundred. The same as a table, with the 80 % range:

# %%
forecast_frame(forecast, names, levels=[80]).round(1).head(8)

# %% [markdown]
# ## Questions of one's own
#
# `forecast.samples` has 500 futures of all articles. Whatever is asked of sales is asked of each future, and then counted.

# %%
four_weeks = forecast.samples[:, :4].sum((1, 2))
print(
    f"all articles in four weeks: {four_weeks.mean():.0f} pieces, 80 % range {np.quantile(four_weeks, [0.1, 0.9]).round()}"
)
print(f"to be sold out at most once in ten: {np.quantile(four_weeks, 0.9):.0f} pieces")

# %% [markdown]
# ## Is it any good?
#
# Two windows of eight weeks were kept back. A model is trained on what lies before, and judged by what was sold; last year's week is the rule to beat. Lower is better, but
# for the coverage, which is right at 0.80.

# %%
models = {name: build_model(name, shop.metadata) for name in ("analog", "seasonal-naive")}
scores = backtest(models, shop)
summary(scores, metrics=["crps", "crps_sum", "coverage_80"])
