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
# # A new article
#
# It has no past. It has a photo and a price, and there are others that were launched before it. `cold-start` forecasts it on the same paths as
# all others, so that totals are totals.

# %%
import numpy as np
import pandas as pd
from hemline.datasets import get_dataset, join_article_vectors, read_article_vectors, simulated_shop
from hemline.forecasting import build_model, forecast_frame

simulated = simulated_shop(articles=60, launches=0.5, delistings=0.0)
simulated.write("shop", unseen="keep")
simulated.articles.head()

# %% [markdown]
# ## What the photos say
#
# A network learns to tell colour and shape from the photos; what it sees is then one vector an article.

# %% language="bash"
# hemline vision classify train --data shop/artikel.toml --checkpoint look --size 24 --widths 8,16 --epochs 15 --lr 1e-2 --batch-size 16 --task Farbe --task Form

# %% language="bash"
# hemline vision embed --data shop/artikel.toml --checkpoint look --pca 6 --out vectors.parquet

# %% [markdown]
# ## The forecast
#
# `unseen="keep"` in `shop.toml` keeps articles that were never sold; those without a single sale are the new ones.

# %%
shop = join_article_vectors(get_dataset("shop/shop.toml"), read_article_vectors("vectors.parquet"))
last = simulated.table.dropna(subset="Absatz")
new = [name for name in shop.latest.item_ids if name not in set(last["Artikel"])]
print("never sold:", *new)

# %%
model = build_model("cold-start", shop.metadata).train([shop.whole])
drawn = next(model.predict([shop.latest], num_samples=500))
rows = forecast_frame(drawn, shop.latest.item_ids, levels=[80])

# %% [markdown]
# What the simulation knows stands beside it: the demand of the weeks from the launch on.

# %%
places = [list(simulated.articles["Artikel"]).index(name) for name in new]
demand = pd.DataFrame(np.nansum(simulated.truth.demand[-8:, places], 2), columns=new).mean().round(1)
of_new = rows[rows["item_id"].isin(new)].groupby("item_id")[["lo80", "mean", "hi80"]].mean().round(1)
of_new.assign(true_mean=demand).join(simulated.articles.set_index("Artikel"))

# %% [markdown]
# A new article is foretold by its likes, so its range is wide: what no photo shows is not known. [The page](../new_articles.md) says how the model
# does it and what vectors were worth on real sales.
