# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Listening: whom do they attend to?
#
# Decoders compare what the brain does with what two talkers say. `make listen` has written all
# scores as tables; this notebook reads them and asks further. Nothing is trained here.
#
# `NEURODECODE_LISTENING` says which results to look at (`auditory` if it is not set,
# `auditory-dtu` after `make listen DATA=...`). The miniature listeners are simulated: what holds
# there holds for the machinery, not for brains.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from neurodecode.analysis.profile import find_root
from neurodecode.auditory.markov import filtered, smoothed, stay_matrix
from neurodecode.metrics.functional.switch_duration import mesd

name = os.environ.get("NEURODECODE_LISTENING", "auditory")
folder = find_root(Path.cwd(), name) / "reports" / name / "tables"
text = {"subject": str, "trial": str}
windows = pd.read_csv(folder / "attention_windows.csv", dtype=text, keep_default_na=False)
honest = windows[(windows["leak"] == "") & (windows["channels"] == "")]
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110})
f"{name}: {', '.join(sorted(set(honest['method'])))}"

# %% [markdown]
# ## How long does one have to listen?
#
# Share of right decisions against the length of the window, and what it is worth: the minimal
# expected switch duration (MESD), the seconds that a volume control takes to follow a change of
# attention when it uses the best window. Trained on the same people, or on others.

# %%
rows = []
for training, own in honest.groupby("training"):
    figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    for method, table in own.groupby("method"):
        curve = table.groupby("window_s")["credit"].mean()
        axes.plot(curve.index, curve, marker="o", label=method)
        best = mesd(curve.index.to_numpy(), curve.to_numpy())
        seconds = np.nan if best is None else best.seconds
        rows.append({"training": training, "method": method, "MESD (s)": seconds})
    axes.axhline(0.5, color="#33485c", linewidth=0.8)
    axes.set(xscale="log", xlabel="window (s)", ylabel="right", title=training)
    axes.legend(frameon=False)
display(pd.DataFrame(rows).pivot(index="method", columns="training", values="MESD (s)").round(1))

# %% [markdown]
# ## Is one decoder better than another?
#
# On the same trials, with intervals over trials.

# %%
differences = folder / "attention_differences.csv"
if differences.is_file():
    table = pd.read_csv(differences)
    clear = table[(table["ci_low"] > 0) | (table["ci_high"] < 0)]
    display(clear.round(3))

# %% [markdown]
# ## What does joining windows over time gain?
#
# Short windows say little, but attention seldom moves. A hidden Markov chain waits for evidence;
# the longer it takes attention to stay, the slower it follows. Here a window tells the right
# talker from the wrong one with a difference of mean 1 and spread 2, and attention changes once.

# %%
rng = np.random.default_rng(0)
attended = np.repeat([0, 1], 40)
difference = rng.normal(np.where(attended == 0, 1.0, -1.0), 2.0)
likelihood = np.stack([difference, np.zeros(80)], axis=1) * 2 / 4
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for stay in (0.8, 0.95, 0.99):
    chain = stay_matrix(2, stay), np.full(2, 0.5)
    axes.plot(filtered(likelihood, *chain)[:, 1], label=f"looking back, stays {stay:.0%}")
axes.plot(smoothed(likelihood, *chain)[:, 1], "k--", label=f"both ways, stays {stay:.0%}")
axes.axvline(39.5, color="#33485c", linewidth=0.8)
axes.set(xlabel="window", ylabel="probability of the second talker")
axes.legend(frameon=False)
plt.show()
