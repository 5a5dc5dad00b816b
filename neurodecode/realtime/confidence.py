"""How sure a choice is: a temperature for cosines, fitted on validation trials."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from neurodecode.errors import DataError
from neurodecode.realtime.gallery import Gallery, truth_among

__all__ = ["confidences", "fit_sharpness"]

log = logging.getLogger(__name__)


def confidences(cosines: np.ndarray, sharpness: float) -> np.ndarray:
    """Turn cosines into probabilities.

    Parameters
    ----------
    cosines : array of shape (n_compared,)
        Of the pictures that are compared; -inf for places that are empty.
    sharpness : float
        One over the temperature, from `fit_sharpness`.

    Returns
    -------
    array of float64 of shape (n_compared,)
        They sum to one.
    """
    logits = np.where(np.isfinite(cosines), sharpness * cosines.astype(np.float64), -np.inf)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def fit_sharpness(
    path: str | Path, subject: str, gallery: Gallery, array: str, embedding: str
) -> float:
    """Find the temperature under which the true pictures of validation trials are likeliest.

    Each validation trial is sought in the gallery as a window of the stream will be; where the
    true picture is not among those compared, it takes the place of the last of them.

    Parameters
    ----------
    path : path-like
        ``predictions-validation.h5`` of the decoder.
    subject : str
        Who is streamed.
    gallery : Gallery
        Pictures; the true ones have to be among them.
    array : str
        Array of the predictions that holds the decoded embedding.
    embedding : str
        Name of the embedding that is decoded.

    Returns
    -------
    float
        One over the temperature.

    Raises
    ------
    DataError
        If these are no validation predictions of this subject and embedding, or their pictures
        are not in the gallery.
    """
    from neurodecode.metrics.functional.experts import fit_posterior
    from neurodecode.store import read_predictions

    content = read_predictions(path)
    if content.attrs.get("side") != "validation":
        raise DataError("not predictions of validation trials", file=path, field="side",
                        fix="make them with --data.predict_on=validation")  # fmt: skip
    if content.attrs.get("embedding", embedding) != embedding:
        raise DataError(f"predictions of another embedding than {embedding}", file=path,
                        field="embedding", fix="give those of the streamed decoder")  # fmt: skip
    chosen = [each for each in content.predictions if each.subject == subject]
    if not chosen:
        raise DataError("no predictions of this subject", file=path, subject=subject)
    if any(each.n_averaged > 1 for each in chosen):
        log.warning("%s: of averaged trials; confidences of single windows will be too high", path)
    cosines, columns = [], []
    for each in chosen:
        found, rows = gallery.nearest(each.array(array))
        truth = _rows_of(gallery, each.stimulus_id, path)
        column = truth_among(rows, truth)
        for number in np.flatnonzero(column < 0):
            found[number, -1] = _cosine(gallery, each.array(array)[number], truth[number])
            column[number] = found.shape[1] - 1
        cosines.append(np.where(np.isfinite(found), found, -1.0))
        columns.append(column)
    weights = fit_posterior({"cosine": np.concatenate(cosines)}, np.concatenate(columns))
    return weights["cosine"]


def _rows_of(gallery: Gallery, ids: object, path: str | Path) -> list[int]:
    every, _ = gallery.rows.items(np.arange(gallery.rows.n))
    places = {name: row for row, name in enumerate(every)}
    lost = [name for name in ids if name not in places]
    if lost:
        raise DataError(
            f"{len(lost)} validation pictures (first: {lost[0]}) are not among those to choose"
            " from, so that nothing tells how sure a choice is",
            file=path,
            field="stimulus_id",
            fix="add them to the bank, or leave --calibrate out",
        )
    return [places[name] for name in ids]


def _cosine(gallery: Gallery, embedding: np.ndarray, row: int) -> float:
    flat = embedding.ravel().astype(np.float64)
    return float(gallery.rows.vectors[row] @ flat / np.linalg.norm(flat))
