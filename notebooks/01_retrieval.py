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
# # Retrieval: which picture was it?
#
# Every test response is compared with all candidate pictures; the question is at which rank the
# picture that was really seen comes out. `make repro` (or `make real`) has written all scores as
# tables; this notebook reads them and asks further. Nothing is trained here.
#
# `NEURODECODE_PROFILE` says which results to look at (`mini` if it is not set). The miniature
# world is simulated: what holds there holds for the machinery, not for brains.

# %%
import os
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from neurodecode.analysis.profile import find_root, load_profile
from neurodecode.analysis.records import control_methods, is_mean, order_methods
from neurodecode.analysis.retrieval import by_category, confusions, hit_rates
from neurodecode.metrics.bootstrap import bootstrap_difference

name = os.environ.get("NEURODECODE_PROFILE", "mini")
profile = load_profile(find_root(Path.cwd(), name), name)
records = profile.records[profile.records["task"] == "identification"]
controls = control_methods(profile.records)
methods = order_methods(list(records["method"]), controls)
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110})
f"{name}: {', '.join(sorted(set(records['dataset'])))}; methods: {', '.join(methods)}"

# %% [markdown]
# ## Scores by subject
#
# Top-1 is the share of responses whose own picture scores highest, with the value of chance in
# the last column. The interval is a bootstrap over test pictures: it says how much the score
# would move with other pictures, and nothing about other subjects.

# %%
top1 = records[records["metric"] == "retrieval_top1"]
table = top1.pivot(index=["dataset", "method"], columns="subject", values="value")
table["chance"] = top1.groupby(["dataset", "method"])["chance"].mean()
table.style.format("{:.3f}", na_rep="")

# %%
datasets = sorted(set(top1["dataset"]))
figure, panels = plt.subplots(
    1, len(datasets), figsize=(5.5 * len(datasets), 3.4), squeeze=False, layout="constrained"
)
for axes, dataset in zip(panels[0], datasets, strict=True):
    rows = top1[(top1["dataset"] == dataset) & ~top1["subject"].map(is_mean)]
    subjects = sorted(set(rows["subject"]))
    for shift, method in zip(np.linspace(-0.2, 0.2, len(methods)), methods, strict=True):
        own = rows[rows["method"] == method].set_index("subject").reindex(subjects)
        place = np.arange(len(subjects)) + shift
        axes.vlines(place, own["ci_low"], own["ci_high"], color=f"C{methods.index(method)}")
        axes.plot(place, own["value"], "o", color=f"C{methods.index(method)}", label=method)
    axes.axhline(rows["chance"].mean(), color="0.5", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(subjects)), subjects)
    axes.set(title=dataset, xlabel="subject", ylabel="top-1 retrieval", ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=8)

# %% [markdown]
# ## The whole distribution of ranks
#
# Top-1 and top-5 are two points of one curve: the share of responses found within the first *k*
# candidates. A method may win at the first place and lose further down.

# %%
candidates = profile.candidates
figure, panels = plt.subplots(
    1, len(datasets), figsize=(5.5 * len(datasets), 3.4), squeeze=False, layout="constrained"
)
for axes, dataset in zip(panels[0], datasets, strict=True):
    rows = candidates[candidates["dataset"] == dataset]
    n = int(rows["n_candidates"].max())
    places = np.arange(1, n + 1)
    for method in order_methods(list(rows["method"]), controls):
        ranks = np.sort(rows.loc[rows["method"] == method, "rank"].to_numpy())
        found = np.searchsorted(ranks, places, side="right") / len(ranks)
        axes.step(places, found, where="post", color=f"C{methods.index(method)}", label=method)
    axes.plot(places, places / n, color="0.5", linestyle="--", linewidth=1, label="chance")
    axes.set(title=dataset, xlabel="k", ylabel="found within the first k", xscale="log")
    axes.legend(frameon=False, fontsize=8)

# %%
hit_rates(candidates).round(3)

# %% [markdown]
# ## Is one method better than another?
#
# Two intervals that overlap do not settle it, because both methods saw the same pictures. The
# paired difference does: it resamples pictures for both methods together, within each subject.

# %%
items = profile.items[profile.items["metric"] == "retrieval_top1"]


def scores_of(dataset: str, method: str) -> dict[str, np.ndarray]:
    """Top-1 of every test item, by subject, in the order of the items."""
    rows = items[(items["dataset"] == dataset) & (items["method"] == method)]
    rows = rows.sort_values(["fold", "stimulus_id"])
    return {subject: own["value"].to_numpy() for subject, own in rows.groupby("subject")}


differences = []
for dataset in datasets:
    here = order_methods(list(items.loc[items["dataset"] == dataset, "method"]), controls)
    for better, worse in pairwise(here):
        gap = bootstrap_difference(scores_of(dataset, better), scores_of(dataset, worse))
        differences.append((dataset, better, worse, gap.value, gap.low, gap.high))
pd.DataFrame(
    differences, columns=["dataset", "method", "minus", "difference", "ci_low", "ci_high"]
).round(3)

# %% [markdown]
# ## Which categories are found
#
# `top1` asks for the very picture, `category1` only for a picture of the same category at the
# first place. A category with a low `top1` and a high `category1` is recognised, but its
# pictures are confused with each other.

# %%
for dataset in datasets:
    category = profile.stores[dataset].category()
    if category.empty:
        continue
    rows = candidates[candidates["dataset"] == dataset]
    table = by_category(rows, category).pivot(index="category", columns="method")
    display(table[["top1", "category1"]].round(2))

# %%
for dataset in datasets:
    category = profile.stores[dataset].category()
    if category.empty:
        continue
    rows = candidates[(candidates["dataset"] == dataset) & (candidates["method"] == methods[0])]
    matrix = confusions(rows, category)
    share = matrix.div(matrix.sum(axis=1).clip(lower=1), axis=0)
    figure, axes = plt.subplots(figsize=(5.2, 4.6), layout="constrained")
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(matrix)), matrix.columns, rotation=60, ha="right")
    axes.set_yticks(range(len(matrix)), matrix.index)
    axes.set(xlabel="category of the first candidate", ylabel="category seen")
    axes.set_title(f"{dataset}, {methods[0]}")
    figure.colorbar(picture, label="share of responses")

# %% [markdown]
# ## Do subjects find the same pictures hard?
#
# Ranks of the same picture in two subjects, correlated over pictures. A high value points at the
# pictures (or at the embedding that cannot tell them apart); a low one at noise in each recording.

# %%
for dataset in datasets:
    rows = candidates[(candidates["dataset"] == dataset) & (candidates["method"] == methods[0])]
    ranks = rows.pivot_table(index="stimulus_id", columns="subject", values="rank").dropna()
    if ranks.shape[1] > 1 and len(ranks) > 2:
        display(ranks.corr(method="spearman").round(2))
    else:
        print(f"{dataset}: the subjects share no test pictures")
