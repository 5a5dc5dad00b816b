"""Functional alignment: responses of different brains in one space, by the stimuli they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV

from neurodecode.errors import DataError

__all__ = ["FunctionalAlignment"]

_PENALTIES = np.logspace(-1, 6, 8)


class FunctionalAlignment(BaseEstimator):
    r"""Rotate every subject's principal components onto a group template (hyperalignment).

    .. math:: \min_{R_s} \|Z_s R_s - T\|_F, \quad R_s^\top R_s = 1

    with T the mean of all Z_s R_s, and Z_s the components of subject s, scaled as a whole to unit
    variance per component on average. Subjects may have different numbers of voxels, and stimuli
    of their own besides the shared ones.

    Parameters
    ----------
    n_components : int
        Dimensions of the common space.
    n_iterations : int
        Most rounds of rotating to the template and averaging anew.
    tolerance : float
        Stop when the template changes by less than this share of its size.
    seed : int
        Of the randomised decomposition that scikit-learn chooses for large problems.
    method : {"procrustes", "ridge"}
        How a subject gets into the space: by its rotation, or by a ridge regression of the
        template on its voxels, which may also weigh them (penalty by leave-one-out within the
        shared stimuli).

    Attributes
    ----------
    shared_ : list of str
        Stimuli that all subjects saw, sorted; the alignment knows nothing else.
    template_ : array of float64 of shape (n_shared, n_components)
        Mean of the aligned responses to them.
    pca_ : dict of str to PCA
        Decomposition of each subject's responses to the shared stimuli.
    scale_ : dict of str to float
        What each subject's components are divided by.
    rotation_ : dict of str to array of shape (n_components, n_components)
        Orthogonal.
    ridge_ : dict of str to RidgeCV
        Regressions, for the method ``ridge``.
    n_iterations_ : int
        Rounds that were needed.

    References
    ----------
    Haxby et al. 2011; Schönemann 1966 for the orthogonal Procrustes problem.
    """

    def __init__(
        self,
        n_components: int = 50,
        n_iterations: int = 20,
        tolerance: float = 1e-6,
        seed: int = 0,
        method: Literal["procrustes", "ridge"] = "procrustes",
    ) -> None:
        self.n_components = n_components
        self.n_iterations = n_iterations
        self.tolerance = tolerance
        self.seed = seed
        self.method = method

    def fit(
        self,
        responses_by_subject: Mapping[str, np.ndarray],
        stimulus_ids_by_subject: Mapping[str, Sequence[str]],
    ) -> FunctionalAlignment:
        """Learn the common space.

        Parameters
        ----------
        responses_by_subject : mapping of str to array of shape (n_stimuli, n_voxels)
            Responses to TRAINING stimuli, repeats averaged, voxels standardised; both numbers
            may differ between subjects.
        stimulus_ids_by_subject : mapping of str to sequence of str of length n_stimuli
            Stimulus of each row; no stimulus twice.

        Returns
        -------
        FunctionalAlignment
            Itself.

        Raises
        ------
        DataError
            If the method is unknown, subjects or lengths do not fit together, a stimulus occurs
            twice, responses are not finite or all the same, or there are fewer shared stimuli or
            voxels than components.
        """
        if self.method not in ("procrustes", "ridge"):
            raise DataError(f"unknown method {self.method!r}; known: procrustes, ridge")
        rows = self._shared_rows(responses_by_subject, stimulus_ids_by_subject)
        self.pca_, self.scale_ = {}, {}
        components = {}
        for subject, responses in responses_by_subject.items():
            shared = _finite(responses, subject)[rows[subject]]
            components[subject] = self._reduce(subject, shared)
        self._iterate(components)
        self.ridge_ = {}
        if self.method == "ridge":
            for subject, responses in responses_by_subject.items():
                shared = _finite(responses, subject)[rows[subject]]
                self.ridge_[subject] = RidgeCV(_PENALTIES).fit(shared, self.template_)
        return self

    def transform(self, responses: np.ndarray, subject: str) -> np.ndarray:
        """Bring responses of a subject into the common space.

        Parameters
        ----------
        responses : array of shape (n, n_voxels)
            To any stimuli, preprocessed as in `fit`.
        subject : str
            One of the subjects of `fit`.

        Returns
        -------
        array of float32 of shape (n, n_components)
            Coordinates that mean the same for every subject.

        Raises
        ------
        DataError
            If the subject is unknown, or has another number of voxels, or responses are not
            finite.
        """
        if subject not in self.rotation_:
            raise DataError(f"unknown subject; known: {', '.join(self.rotation_)}", subject=subject)
        responses, pca = _finite(responses, subject), self.pca_[subject]
        if responses.shape[1] != pca.n_features_in_:
            raise DataError(
                f"{responses.shape[1]} voxels, aligned with {pca.n_features_in_}", subject=subject
            )
        if subject in self.ridge_:
            return self.ridge_[subject].predict(responses).astype(np.float32)
        components = pca.transform(responses) / self.scale_[subject]
        return (components @ self.rotation_[subject]).astype(np.float32)

    def _shared_rows(
        self, responses: Mapping[str, np.ndarray], ids: Mapping[str, Sequence[str]]
    ) -> dict[str, list[int]]:
        """Rows of the shared stimuli, in one order."""
        if set(responses) != set(ids) or len(ids) < 2:
            raise DataError(
                f"responses of {sorted(responses)}, stimuli of {sorted(ids)}; alignment needs"
                " both of two subjects or more"
            )
        places = {}
        for subject, names in ids.items():
            places[subject] = {name: row for row, name in enumerate(names)}
            if len(places[subject]) != len(names):
                raise DataError(
                    "a stimulus occurs twice",
                    subject=subject,
                    field="stimulus_id",
                    fix="average the repeats first",
                )
            if len(names) != len(responses[subject]):
                raise DataError(
                    f"{len(names)} stimuli for {len(responses[subject])} responses",
                    subject=subject,
                    field="stimulus_id",
                )
        self.shared_ = sorted(set.intersection(*(set(place) for place in places.values())))
        # the mean is taken from the shared responses, which costs one dimension
        if len(self.shared_) <= self.n_components:
            raise DataError(
                f"{len(self.shared_)} stimuli are shared by all subjects; {self.n_components}"
                f" components need {self.n_components + 1} or more",
                field="n_components",
                fix="use fewer components or subjects who share more",
            )
        return {
            subject: [place[name] for name in self.shared_] for subject, place in places.items()
        }

    def _reduce(self, subject: str, shared: np.ndarray) -> np.ndarray:
        if not 1 <= self.n_components <= shared.shape[1]:
            raise DataError(
                f"{self.n_components} components of {shared.shape[1]} voxels",
                subject=subject,
                field="n_components",
            )
        if not np.ptp(shared, axis=0).any():
            raise DataError("all responses are the same", subject=subject, field="responses")
        pca = PCA(self.n_components, random_state=self.seed).fit(shared)
        components = pca.transform(shared)
        # one number a subject: a loud brain must not write the template alone
        scale = float(np.sqrt(np.mean(components**2)))
        self.pca_[subject], self.scale_[subject] = pca, scale
        return components / scale

    def _iterate(self, components: Mapping[str, np.ndarray]) -> None:
        """Rotate to the template, average, and again; the first template grows by subjects."""
        order = list(components)
        template = components[order[0]]
        for number, subject in enumerate(order[1:], start=1):
            rotation, _ = orthogonal_procrustes(components[subject], template)
            template = (number * template + components[subject] @ rotation) / (number + 1)
        for round_ in range(1, self.n_iterations + 1):
            self.rotation_ = {
                subject: orthogonal_procrustes(values, template)[0]
                for subject, values in components.items()
            }
            aligned = [values @ self.rotation_[subject] for subject, values in components.items()]
            before, template = template, np.mean(aligned, axis=0)
            self.n_iterations_ = round_
            if np.linalg.norm(template - before) <= self.tolerance * np.linalg.norm(before):
                break
        self.template_ = template


def _finite(responses: np.ndarray, subject: str) -> np.ndarray:
    values = np.asarray(responses, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise DataError(
            f"{values.ndim} dimensions or values that are not finite; alignment needs a finite"
            " array (n_stimuli, n_voxels)",
            subject=subject,
            field="responses",
        )
    return values
