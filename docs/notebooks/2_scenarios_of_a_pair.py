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
# # What a markdown of one article does to another
#
# Both articles are forecast together, once as planned and once marked down, under the same chance. The simulated sales know the true effects, so that
# we can look how near we come.

# %%
import numpy as np
import pandas as pd
from hemline.datasets import simulated_sales
from hemline.forecasting import Scenario, build_model, cannibalisation, simulate, write_pair_view
from IPython.display import Image

data = simulated_sales(articles=8)
first, second, other = "dress_1", "dress_3", "coat_1"
model = build_model("analog", data.metadata).train(data.train)

# %% [markdown]
# A scenario is a line of text: 20 per cent off in all weeks. `@ 2:4` behind it would mean the second to the fourth.

# %%
cut = Scenario("cut", [f"price[{first}] = -20%"])
outcomes = simulate(model, data.history(0), cut, paths=1000)

print(f"{'':>8} {'true':>8} {'estimated':>10}   90 % interval")
for article in (first, second, other):
    effect = outcomes["cut"].effect(article)
    low, high = np.quantile(effect, [0.05, 0.95])
    true = data.truth.price_effect(article, of=first, change=-0.2)
    print(f"{article:>8} {true:>+8.1%} {effect.mean():>+10.1%}   {low:+.1%} to {high:+.1%}")

# %% [markdown]
# The marked-down dress gains, the other dress loses to it, and the coat does not care. In pieces, path by path, because each path is the same
# future but for the price:

# %%
change = outcomes["cut"].difference()
pieces = change.units(second)
print(
    f"{second} loses {-pieces.mean():.0f} pieces in eight weeks, 90 % range {np.quantile(-pieces, [0.05, 0.95]).round()}"
)
gain = change.revenue()
print(f"revenue of all articles: {gain.mean():+,.0f}; it falls in {np.mean(gain < 0):.0%} of the futures")
print(
    "P(both dresses together sell more than 1000) =",
    outcomes["cut"].probability(f"units[{first}] + units[{second}] > 1000"),
)

# %% [markdown]
# Each article in turn, and what that does to each: by how many per cent the units of a row change when the price of a column rises by one per
# cent. Where the 90 % interval holds 0 nothing is shown, since nothing is known.

# %%
articles = data.metadata.item_ids
effects = cannibalisation(model, data.history(0), articles, paths=200)
pd.DataFrame(np.where(effects.certain(), effects.mean, np.nan), index=articles, columns=articles).round(1).fillna("")

# %% [markdown]
# The pair as a page for a colleague, one HTML file with pictures: `hemline simulate --articles dress_1,dress_3 ...`, or in Python

# %%
files = write_pair_view(outcomes, "cut", (first, second), "pair")
print(*(file.name for file in files))
Image("pair/pair.png", width=760)
