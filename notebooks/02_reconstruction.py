# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: "1.3"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reconstruction: what did it look like?
#
# For each test response a generator draws several pictures from the decoded embedding, starting
# from a coarse picture decoded from the same response. The one whose embedding is closest to the
# decoded one is kept; the picture that was seen plays no part in the choice.
#
# `NEURODECODE_PROFILE` says which results to look at (`mini` if it is not set).

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from neurodecode.analysis.cases import evenly_spaced, rank_items
from neurodecode.analysis.profile import find_root, load_profile
from neurodecode.analysis.records import is_control

name = os.environ.get("NEURODECODE_PROFILE", "mini")
profile = load_profile(find_root(Path.cwd(), name), name)
sources = sorted(profile.reconstructions, key=lambda s: is_control(s.method, s.attrs))
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110})
[(source.method, profile.dataset_of(source), source.array_names) for source in sources]

# %% [markdown]
# ## Pictures, not chosen by how well they turned out
#
# Test pictures at equal distances in the order of their ids. An id is a hash of the pixels, so
# that this order means nothing.


# %%
def show(titles: list[str], rows: list[np.ndarray], heading: str) -> None:
    """Rows of pictures below each other."""
    n_columns = len(rows[0])
    figure, grid = plt.subplots(
        len(rows),
        n_columns,
        figsize=(1.15 * n_columns, 1.2 * len(rows)),
        squeeze=False,
        layout="constrained",
    )
    for line, title, pictures in zip(grid, titles, rows, strict=True):
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(picture)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(title, rotation=0, ha="right", va="center")
    figure.suptitle(heading)


for prediction in sources[0].read() if sources else []:
    folder = profile.stores[profile.dataset_of(sources[0])]
    rows = pd.DataFrame({"stimulus_id": prediction.stimulus_id})
    chosen = evenly_spaced(rows.reset_index(names="row"), 8)
    pictures = {"seen": folder.images(list(chosen["stimulus_id"]))}
    for array, title in (("low_level", "low level"), ("images", "reconstruction")):
        if array in prediction.arrays:
            pictures[title] = prediction.arrays[array][chosen["row"].tolist()]
    show(list(pictures), list(pictures.values()), f"subject {prediction.subject}")

# %% [markdown]
# ## Scores, with the control
#
# The control gives every picture the reconstruction of another one: whatever it still scores
# comes from what all pictures and all reconstructions have in common. `two_way_clip` asks whether
# the reconstruction is closer to its own picture than to another one, chance one half. Pixel
# correlation and SSIM reward blur, so that the low-level picture may beat the reconstruction.

# %%
records = profile.records[profile.records["task"] == "reconstruction"]
if len(records):
    table = records.pivot(index=["metric", "method"], columns="subject", values="value")
    display(table.round(3))
else:
    print("This profile has no reconstructions.")

# %%
items = profile.items[profile.items["task"] == "reconstruction"]
metrics = [name for name in ("two_way_clip", "ssim", "pixcorr") if name in set(items["metric"])]
if metrics:
    figure, panels = plt.subplots(
        1, len(metrics), figsize=(4 * len(metrics), 3), squeeze=False, layout="constrained"
    )
    for axes, metric in zip(panels[0], metrics, strict=True):
        rows = items[items["metric"] == metric]
        bins = np.histogram_bin_edges(rows["value"], bins=24)
        for method, own in rows.groupby("method"):
            weights = np.full(len(own), 1 / len(own))
            axes.hist(own["value"], bins, weights=weights, alpha=0.55, label=method)
        axes.set(xlabel=metric, ylabel="share of pictures")
        axes.legend(frameon=False, fontsize=8)

# %% [markdown]
# ## Does a picture that is retrieved well also come out well?
#
# Retrieval and reconstruction start from the same decoded embedding, so the two should go
# together; where they do not, the generator lost what the decoder had found.

# %%
if sources and len(profile.candidates):
    method = sources[0].method
    scored = pd.concat(
        rank_items(own).assign(subject=subject)
        for subject, own in items[items["method"] == method].groupby("subject")
    )
    metric = scored["metric"].iloc[0]
    ranks = profile.candidates.groupby(["method", "subject", "stimulus_id"])["rank"].mean()
    joined = scored.merge(ranks.reset_index(), on=["subject", "stimulus_id"])
    table = (
        joined.groupby(["method", "subject"])[["rank", "value"]]
        .corr(method="spearman")
        .xs("rank", level=-1)["value"]
        .unstack("subject")
    )
    print(f"Spearman correlation of rank in retrieval and {metric} of the reconstruction")
    display(table.round(2))

# %% [markdown]
# ## Which categories come out well

# %%
if sources:
    category = profile.stores[profile.dataset_of(sources[0])].category()
    own = items[(items["method"] == sources[0].method) & (items["metric"] == metrics[0])]
    own = own.assign(category=own["stimulus_id"].map(category)).dropna(subset="category")
    if len(own):
        table = own.groupby("category")["value"].agg(["mean", "std", "size"])
        display(table.sort_values("mean").round(3))
