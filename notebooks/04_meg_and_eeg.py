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
# # MEG and EEG: what is decoded, and when?
#
# `make meeg` has decoded the miniature world's MEG and EEG: whole trials, windows of time, and all
# modalities on one trunk. This notebook reads its scores; nothing is trained here.
#
# `NEURODECODE_PROFILE` says which results to look at (`meeg` if it is not set). The miniature world
# is simulated: what holds there holds for the machinery, not for brains.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from neurodecode.analysis.profile import find_root, load_profile
from neurodecode.analysis.records import control_methods, is_mean, order_methods, split_mean

name = os.environ.get("NEURODECODE_PROFILE", "meeg")
profile = load_profile(find_root(Path.cwd(), name), name)
records = profile.records
whole = records[(records["task"] == "identification") & (records["metric"] == "two_way")]
methods = order_methods(list(whole["method"]), control_methods(records))
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110})
f"{name}: {', '.join(sorted(set(whole['dataset'])))}; methods: {', '.join(methods)}"

# %% [markdown]
# ## Whole trials
#
# Two-way identification asks how often the picture that was seen beats another one: with noisy
# trials it says more than top-1, which is near chance for all methods. `n_averaged` is the number
# of repeats that were averaged before; methods that end in `@1` decoded single trials.

# %%
columns = ["dataset", "method", "n_averaged", "subject", "value", "ci_low", "ci_high", "chance"]
whole[columns].sort_values(columns[:4]).reset_index(drop=True).round(3)

# %%
datasets = sorted(set(whole["dataset"]))
figure, panels = plt.subplots(
    1, len(datasets), figsize=(4.6 * len(datasets), 3.4), squeeze=False, layout="constrained"
)
for axes, dataset in zip(panels[0], datasets, strict=True):
    rows = whole[(whole["dataset"] == dataset) & ~whole["subject"].map(is_mean)]
    here = [method for method in methods if method in set(rows["method"])]
    for shift, (subject, own) in enumerate(rows.groupby("subject")):
        own = own.set_index("method").reindex(here)
        place = [k + 0.15 * shift for k in range(len(here))]
        axes.hlines(place, own["ci_low"], own["ci_high"], color=f"C{shift}")
        axes.plot(own["value"], place, "o", color=f"C{shift}", label=subject)
    axes.axvline(0.5, color="0.5", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(here)), here)
    axes.set(title=dataset, xlabel="two-way identification")
    axes.legend(frameon=False, fontsize=8)

# %% [markdown]
# ## Is one method better than another?
#
# Paired differences on the same pictures, method minus baseline, with a bootstrap over pictures.

# %%
paired = profile.differences
paired = paired[(paired["task"] == "identification") & (paired["metric"] == "two_way")]
shown = ["dataset", "method", "baseline", "subject", "difference", "ci_low", "ci_high"]
paired[shown].reset_index(drop=True).round(3)

# %% [markdown]
# ## Over time
#
# Each window is decoded by itself. Dots mark windows in a cluster that is above chance (permutation
# over pictures, p <= .05, corrected for the number of windows). A cluster does not say when it
# begins; the time at which a curve reaches half of its peak does, with an interval.

# %%
courses = profile.courses
for dataset in sorted(set(courses["dataset"])) if len(courses) else []:
    figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    rows = courses[(courses["dataset"] == dataset) & (courses["metric"] == "two_way")]
    for number, (target, own) in enumerate(rows.groupby("target", sort=False)):
        curve = pd.concat([split_mean(part)[0] for _, part in own.groupby("t_start_s")])
        time = (curve["t_start_s"] + curve["t_stop_s"]) / 2
        axes.fill_between(time, curve["ci_low"], curve["ci_high"], alpha=0.2, linewidth=0)
        axes.plot(time, curve["value"], color=f"C{number}", label=target)
        found = (curve["p_cluster"] <= 0.05).to_numpy()
        axes.plot(time[found], 0.47 - 0.012 * number + 0 * time[found], ".", color=f"C{number}")
    axes.axhline(0.5, color="0.5", linestyle="--", linewidth=1)
    axes.axvline(0, color="0.5", linewidth=1)
    axes.set(title=dataset, xlabel="seconds from onset", ylabel="two-way identification")
    axes.legend(frameon=False, fontsize=8)

# %%
if len(courses):
    when = courses[courses["metric"].isin(["half_peak_latency", "latency_difference"])]
    shown = ["dataset", "subject", "metric", "target", "value", "ci_low", "ci_high"]
    display(when[shown].reset_index(drop=True).round(3))
else:
    print("no windows of time in this profile: `neurodecode timecourse`, then `evaluate`")

# %% [markdown]
# A model of one time that decodes another says that the same pattern is still there: a square is a
# pattern that stays, a diagonal a chain of patterns that follow each other.

# %%
across = profile.generalisation if len(courses) else pd.DataFrame(columns=["dataset", "target"])
for (dataset, target), own in across.groupby(["dataset", "target"]):
    matrix = own.pivot_table(index="trained_s", columns="tested_s", values="two_way")
    figure, axes = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
    first, last = matrix.columns[0], matrix.columns[-1]
    picture = axes.imshow(
        matrix, origin="lower", extent=(first, last, first, last), cmap="RdBu_r", vmin=0, vmax=1
    )
    axes.set(title=f"{dataset}, {target}", xlabel="tested at (s)", ylabel="trained at (s)")
    figure.colorbar(picture, label="two-way identification")

# %% [markdown]
# ## Across modalities
#
# What was decoded from one modality looks for what the same method decoded from another one of the
# same picture (`candidates`): no picture is asked, only two brains.

# %%
between = records[(records["task"] == "cross_modal") & records["subject"].map(is_mean)]
shown = ["dataset", "method", "metric", "value", "ci_low", "ci_high", "chance", "n_candidates"]
between[shown].reset_index(drop=True).round(3)
