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
# # Look at photos
#
# Colour, shape and category of articles, learnt from photos whose labels are known and told of others. The photos are drawn, so that the notebook needs
# no download; a folder of real ones and a table of labels are read in the same way.

# %%
from pathlib import Path

from hemline.datasets import simulated_shop
from hemline.vision import predict_photos
from IPython.display import Markdown
from PIL import Image

simulated = simulated_shop(articles=60)
simulated.write("shop")
photos = sorted(map(str, Path("shop/fotos").glob("*.png")))
print(Path("shop/artikel.toml").read_text())


# %%
def contact_sheet(files, size=72):
    """The photos side by side."""
    sheet = Image.new("RGB", (size * len(files), size), "white")
    for place, file in enumerate(files):
        sheet.paste(Image.open(file).convert("RGB").resize((size, size)), (size * place, 0))
    return sheet


contact_sheet(photos[:10])

# %% [markdown]
# ## Learn
#
# By default a network with ImageNet weights sees each photo once, and the layers above it learn in seconds. Most articles are learnt from; the others are kept for the test.

# %% language="bash"
# hemline vision classify train --data shop/artikel.toml --checkpoint look --size 64 --epochs 8

# %% language="bash"
# hemline vision classify test --data shop/artikel.toml --checkpoint look > scores.md

# %%
Markdown(Path("scores.md").read_text())

# %% [markdown]
# Colour and shape are told of articles that were not learnt from. The category (`Warengruppe`) cannot be seen in these drawings: of the articles that were learnt
# from it is known by heart, of the others hardly ever. That is why some are kept for the test.
#
# ## Ask

# %%
answers, unreadable = predict_photos("look", photos[:6])
surest = answers.sort_values("probability").groupby(["item_id", "task"]).tail(1)
surest.pivot(index="item_id", columns="task", values="label")[["Farbe", "Form"]]

# %%
contact_sheet(photos[:6])

# %% [markdown]
# The same on the command line is `hemline vision classify predict shop/fotos --checkpoint look`; [the page](../vision.md) has titles, vectors of articles and the
# figures on real photos.
