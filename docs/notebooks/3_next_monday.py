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
# # Next Monday
#
# A shop is forecast every week. The model of last Monday goes on with the week that has been sold, and with the articles that have come.

# %%
from hemline.datasets import get_dataset, simulated_shop
from hemline.evaluation import plot_forecast
from hemline.forecasting import build_model, forecast_frame, load_predictor

simulated_shop(articles=10, weeks=104).write("shop", photos=False)
data = get_dataset("shop/shop.toml")

# %% [markdown]
# ## This Monday
#
# The model is trained on everything, forecasts eight weeks, and is kept in a folder.

# %%
model = build_model("analog", data.metadata).train([data.whole])
model.serialize("model")
drawn = next(model.predict([data.latest], num_samples=200))
monday = forecast_frame(drawn, data.latest.item_ids, levels=[80])
monday.groupby("timestamp")["mean"].sum().round()

# %% [markdown]
# ## A week later
#
# The export of the shop has a week more. Here the simulation writes it; the description beside it stays as it was.

# %%
simulated_shop(articles=10, weeks=105).write("shop", photos=False)
data = get_dataset("shop/shop.toml")
model = load_predictor("model").update([data.whole])
model.serialize("next-model")
drawn = next(model.predict([data.latest], num_samples=200))
forecast_frame(drawn, data.latest.item_ids, levels=[80]).groupby("timestamp")["mean"].sum().round()

# %% [markdown]
# ## How good was last Monday's first week?
#
# The last column of `data.whole` is the week that has just been sold. An article that ran out has no value there, and is not judged.

# %%
sold = dict(zip(data.whole.item_ids, data.whole.target[:, -1], strict=True))
week = monday[monday["timestamp"] == monday["timestamp"].min()].round(1)
week = week.assign(sold=week["item_id"].map(sold)).dropna(subset="sold")
week.assign(within=week["sold"].between(week["lo80"], week["hi80"]))

# %%
names = data.latest.item_ids
plot_forecast(drawn, data.latest, item_ids=names, series=[names[0], "sum"], unit="pieces a week")

# %% [markdown]
# On the command line it is `hemline train --from runs/shop` and `hemline forecast`; [the page](../next_monday.md) says what each model does
# in an update.
