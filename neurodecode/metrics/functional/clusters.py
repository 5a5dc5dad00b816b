"""Which stretches of a curve lie above chance, corrected for their number."""

from __future__ import annotations

from functools import partial

import numpy as np

__all__ = ["cluster_p_values"]

#: Share of the largest variance that is added to every one: a window in which all items have the
#: same score would be infinitely significant (Ridgway et al. 2012).
_HAT = 1e-3


def cluster_p_values(
    differences: np.ndarray, *, n_permutations: int = 1000, seed: int = 0, level: float = 0.05
) -> np.ndarray:
    """Cluster-permutation test of a mean that is not zero, two-sided, along the last axis.

    Windows whose t value is beyond that of `level` form clusters with their neighbours of the same
    sign; the sum of t values of a cluster is compared with the largest under random signs of whole
    rows. Only clusters above zero are reported: for a score, those below chance are no finding.

    Parameters
    ----------
    differences : array of shape (n_items, n_windows)
        Score of each item less chance. Rows have to be exchangeable in sign if there is nothing
        to be found: items that no other row decides about, or subjects.
    n_permutations : int
        Random signs; all of them where there are fewer.
    seed : int
        Of the signs.
    level : float
        Threshold of single windows, not of the test.

    Returns
    -------
    array of float of shape (n_windows,)
        P value of the cluster above zero that a window is in; 1 outside of these.

    Raises
    ------
    ValueError
        If there are fewer than two rows.

    References
    ----------
    Maris and Oostenveld 2007. The test says that there is something, not when it begins
    (Sassenhagen and Draschkow 2019).
    """
    from mne.stats import permutation_cluster_1samp_test, ttest_1samp_no_p
    from scipy.stats import t as t_distribution

    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"rows of scores are needed, not an array of shape {values.shape}")
    p_values = np.ones(values.shape[1])
    # nothing varies: nothing to test
    if not values.std(axis=0).any():
        return p_values
    t_values, clusters, found, _ = permutation_cluster_1samp_test(
        values,
        threshold=float(t_distribution.ppf(1 - level / 2, len(values) - 1)),
        n_permutations=n_permutations,
        tail=0,
        stat_fun=partial(ttest_1samp_no_p, sigma=_HAT),
        out_type="mask",
        rng=seed,
        verbose="error",
    )
    for mask, p_value in zip(clusters, found, strict=True):
        if t_values[mask].sum() > 0:
            p_values[mask] = p_value
    return p_values
