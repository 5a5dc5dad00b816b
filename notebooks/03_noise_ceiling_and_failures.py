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
# # Noise ceilings, and where decoding fails
#
# How much of each voxel's response is signal at all, and what do the test responses have in
# common whose picture was not found?
#
# `NEURODECODE_PROFILE` says which results to look at (`mini` if it is not set).

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from neurodecode.analysis.ceilings import ceiling_per_roi, ceiling_table
from neurodecode.analysis.profile import find_root, load_profile
from neurodecode.analysis.records import control_methods, order_methods
from neurodecode.analysis.retrieval import failures, hit_rates, retrieval_lists

name = os.environ.get("NEURODECODE_PROFILE", "mini")
profile = load_profile(find_root(Path.cwd(), name), name)
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110})
pd.concat([folder.summary() for folder in profile.stores.values()], ignore_index=True)

# %% [markdown]
# ## Noise ceiling of each subject
#
# `ncsnr` is the standard deviation of a voxel's signal over that of its noise in one trial. For
# averages of *n* repeats, a perfect model explains
# $NC = \mathrm{ncsnr}^2 / (\mathrm{ncsnr}^2 + 1/n)$ of the variance (Allen et al. 2022). It is a
# share of variance: compare it with $r^2$, never with $r$.

# %%
ceilings = pd.concat(
    [ceiling_table(folder) for folder in profile.stores.values()], ignore_index=True
)
if len(ceilings):
    display(ceilings.round(3))
else:
    print("No data set of this profile comes with ncsnr.")

# %%
regions = pd.concat([ceiling_per_roi(folder) for folder in profile.stores.values()])
regions = regions.assign(roi=regions["roi"].replace("", "(no label)"))
if len(regions):
    order = regions.groupby("roi")["ceiling"].median().sort_values().index
    figure, axes = plt.subplots(figsize=(7, 0.28 * len(order) + 1.2), layout="constrained")
    groups = [regions.loc[regions["roi"] == roi, "ceiling"].dropna() for roi in order]
    axes.boxplot(groups, orientation="horizontal", showfliers=False, widths=0.6)
    names = [f"{roi}  ({len(group)})" for roi, group in zip(order, groups, strict=True)]
    axes.set_yticks(range(1, len(order) + 1), names)
    axes.set(xlabel="noise ceiling of the tested averages (share of variance)", xlim=(0, 1))
    axes.set_title("Voxels of all subjects, by region (number of voxels)")

# %% [markdown]
# ## Does the ceiling limit retrieval?
#
# With a handful of subjects this is a look, not a test. Retrieval gathers over voxels, so that
# many voxels with little signal can still find the picture.

# %%
candidates = profile.candidates
controls = control_methods(profile.records)
methods = order_methods(list(candidates["method"]), controls)
joined = hit_rates(candidates).merge(ceilings, on=["dataset", "subject"])
if len(joined):
    figure, axes = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
    for method, own in joined.groupby("method"):
        axes.plot(own["median"], own["top1"], "o", label=method)
    axes.set(xlabel="median noise ceiling", ylabel="top-1 retrieval", ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=8)

# %% [markdown]
# ## The worst failures
#
# For the first method in the order of the report: the test pictures that came out furthest from
# the first place in each subject, and the five candidates that were put before them.

# %%
for dataset, folder in profile.stores.items():
    own = candidates[(candidates["dataset"] == dataset) & candidates["method"].isin(methods[:1])]
    if folder.stimuli is None or own.empty:
        continue
    worst = failures(own, 2)
    n_columns = 1 + len(worst["top5"].iloc[0])
    figure, grid = plt.subplots(
        len(worst),
        n_columns,
        figsize=(1.2 * n_columns, 1.3 * len(worst)),
        squeeze=False,
        layout="constrained",
    )
    for line, row in zip(grid, worst.itertuples(), strict=True):
        for axes, picture in zip(line, folder.images([row.stimulus_id, *row.top5]), strict=True):
            axes.imshow(picture)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        text = f"subject {row.subject}\nrank {row.rank:g}"
        line[0].set_ylabel(text, rotation=0, ha="right", va="center")
    grid[0][0].set_title("seen")
    grid[0][1].set_title("first")
    figure.suptitle(f"{dataset}, {methods[0]}")

# %% [markdown]
# ## What failures have in common
#
# When the wrong picture comes first, is it at least of the right category? Compared with how
# often that would happen if a wrong candidate were picked at random.

# %%
rows = []
for dataset, folder in profile.stores.items():
    category = folder.category()
    if category.empty:
        continue
    lists = retrieval_lists(candidates[candidates["dataset"] == dataset])
    missed = lists[lists["place"] != 0]
    for method, own in missed.groupby("method"):
        true, first = own["stimulus_id"].map(category), own["top5"].str[0].map(category)
        tested = lists.loc[lists["method"] == method, "stimulus_id"].drop_duplicates()
        # among the other test pictures, the share that has the category of the one seen
        counts = tested.map(category).value_counts()
        others = (true.map(counts) - 1) / (len(tested) - 1)
        rows.append((dataset, method, len(own), np.mean(true == first), others.mean()))
pd.DataFrame(
    rows, columns=["dataset", "method", "misses", "right category", "if picked at random"]
).round(3)

# %% [markdown]
# ## Classification
#
# For data sets without pictures: which classes are taken for which.

# %%
for (dataset, method), own in profile.confusion.groupby(["dataset", "method"]):
    matrix = own.pivot_table(
        index="true", columns="predicted", values="count", aggfunc="sum", fill_value=0
    )
    print(dataset, method)
    display(matrix)
