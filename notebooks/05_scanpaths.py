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
# # Scanpaths: where did they look?
#
# Models say where people look next; people say how well that can be known. `make gaze` has written
# all scores as tables, and some scanpaths to look at; this notebook reads them. Nothing is trained
# here.
#
# `NEURODECODE_GAZE` says which results to look at (`mini-gaze` if it is not set, `osie` after
# `make gaze DATA=...`). The miniature viewers are simulated: what holds there holds for the
# machinery, not for people.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from neurodecode.analysis.profile import Profile, find_root
from neurodecode.evaluation.scanpath.examples import read_examples
from neurodecode.report.figures.gaze import draw_density, draw_scanpath

name = os.environ.get("NEURODECODE_GAZE", "mini-gaze")
folder = find_root(Path.cwd(), f"gaze/{name}") / "reports" / "gaze" / name
profile = Profile(name, folder / "metrics.json", folder / "tables")
records = profile.records
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110})
f"{name}: {', '.join(sorted(set(records['viewing'])))}"

# %% [markdown]
# ## How well is the next fixation known?
#
# Bits by which a model's density says more than a uniform one at the fixations of test viewers,
# each given that viewer's earlier fixations. `other_viewers` is the ceiling: the density of the
# other viewers of the same picture.

# %%
gain = records[(records["metric"] == "information_gain_bits") & (records["reference"] == "uniform")]
for task, own in gain.groupby("viewing"):
    own = own.sort_values("value")
    figure, axes = plt.subplots(figsize=(6, 0.35 * len(own) + 1), layout="constrained")
    spread = [own["value"] - own["ci_low"], own["ci_high"] - own["value"]]
    axes.barh(own["method"], own["value"], xerr=spread, color="#8aa9c4", ecolor="#33485c")
    axes.axvline(0, color="#33485c", linewidth=0.8)
    axes.set(xlabel="bits per fixation over uniform, 95 % interval over pictures", title=task)

# %% [markdown]
# ## Do whole scanpaths look like people's?
#
# Scores of drawn scanpaths against those of each viewer, in the same unit as one viewer against
# another (last row of each task). A model may know each step well and still go nowhere people go.

# %%
shown = ["sequence_score", "semantic_sequence_score", "scanmatch", "multimatch_shape", "stde"]
wanted = records[records["metric"].isin(shown)]
for task, own in wanted.groupby("viewing"):
    table = own.pivot(index="method", columns="metric", values="value")
    last = table.index == "other_viewers"
    print(task)
    display(pd.concat([table[~last], table[last]]).round(3))

# %% [markdown]
# ## Is the difference more than luck?
#
# Method minus baseline on the same pictures, with intervals over pictures: the pictures that are
# easy for one are easy for the other, which two separate intervals do not know.

# %%
differences = pd.read_csv(profile.tables / "scanpath-differences.csv")
own = differences[differences["metric"].isin(["sequence_score", "nss"])]
display(
    own[["viewing", "metric", "method", "baseline", "difference", "ci_low", "ci_high"]].round(3)
)

# %% [markdown]
# ## When is the target found?

# %%
path = profile.tables / "scanpath-found.csv"
if path.is_file():
    curves = pd.read_csv(path)
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for method, own in curves.groupby("method"):
        people = method == "other_viewers"
        axes.plot(own["fixation"], own["found"], label=method, linewidth=2.6 if people else 1.3)
        if people:
            axes.fill_between(own["fixation"], own["ci_low"], own["ci_high"], alpha=0.2)
    axes.set(xlabel="fixation", ylabel="targets found", ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8)
else:
    print("Nobody searched in this data set.")

# %% [markdown]
# ## One picture
#
# A person, one scanpath of each model, and the densities of those that have one: brighter is
# likelier. The pictures are taken at equal distances in the order of their names, whatever the
# scores.

# %%
example = read_examples(folder / "examples.h5")[0]
drawings = {"a person": draw_scanpath(example.image, example.human[0])}
drawings |= {each: draw_scanpath(example.image, own[0]) for each, own in example.models.items()}
drawings |= {f"{each}, density": draw_density(example.image, own)
             for each, own in example.maps.items()}  # fmt: skip
columns = 4
lines = -(-len(drawings) // columns)
figure, grid = plt.subplots(
    lines, columns, figsize=(2.1 * columns, 2.2 * lines), squeeze=False, layout="constrained"
)
for axes in grid.flat:
    axes.set_axis_off()
for axes, (title, drawing) in zip(grid.flat, drawings.items(), strict=False):
    axes.imshow(drawing)
    axes.set_title(title, fontsize=8)
