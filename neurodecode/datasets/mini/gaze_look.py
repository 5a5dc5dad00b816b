"""A miniature viewer looks at a picture, fixation after fixation."""

from __future__ import annotations

import numpy as np

from neurodecode.datasets.mini.gaze_policy import DEGREES, Policy, Viewer
from neurodecode.datasets.mini.gaze_scenes import View, object_similarity, object_words
from neurodecode.datasets.mini.scene_types import CATEGORIES
from neurodecode.scanpaths import Scanpath

__all__ = ["look"]


def look(
    rng: np.random.Generator,
    viewer: Viewer,
    view: View,
    task: str,
    *,
    pixels: np.ndarray,
    most: int = 20,
    seconds: float = 3.0,
) -> Scanpath:
    """Let a viewer look at a picture, from its middle.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    viewer : Viewer
        Who looks.
    view : View
        At what.
    task : {"free_viewing", "search_present", "captioning"}
        What for; search ends when the target is recognised, the others after `seconds`.
    pixels : array of shape (size, size, 3), uint8
        The picture, `view.pixels()`.
    most : int
        Fixations after which search is given up.
    seconds : float
        Length of a trial without search.

    Returns
    -------
    Scanpath
        As an eye tracker reports it. The first fixation is the enforced one in the middle.
    """
    policy, degree = viewer.policy, view.size / DEGREES
    items = _Items(view, pixels, task)
    eye, at = np.full(2, view.size / 2), -1
    age = np.full(len(items.centres), np.inf)
    places = [eye.copy()]
    durations = [_duration(rng, policy)]
    while len(places) <= most and (task == "search_present" or sum(durations) < 1000 * seconds):
        found = task == "search_present" and at == items.target
        if found and rng.random() < policy.recognition:
            break
        at, aim = _next(rng, policy, items, eye, at, age, degree)
        eye = _saccade(rng, policy, eye, aim, view.size)
        # what the eye meets is what it lands on
        at = items.at(eye)
        age += 1
        if at >= 0:
            age[at] = 0
        places.append(eye.copy())
        durations.append(_duration(rng, policy))
    measured = np.array(places) + rng.normal(0, policy.tracker * degree, (len(places), 2))
    return Scanpath(
        *measured.T.round(2),
        np.array(durations),
        viewer.name,
        view.name,
        task,
        view.target if task == "search_present" else "",
        view.caption if task == "captioning" else "",
        (view.size, view.size),
    )


class _Items:
    """The objects of a view as the policy sees them."""

    def __init__(self, view: View, pixels: np.ndarray, task: str) -> None:
        self.boxes = view.boxes()
        self.centres = self.boxes[:, :2] + self.boxes[:, 2:] / 2
        self.salience = _salience(pixels, self.boxes)
        kinds = np.array([CATEGORIES.index(item.category) for item in view.scene.objects])
        self.target = int(np.flatnonzero(kinds == CATEGORIES.index(view.target))[0])
        searched = task == "search_present"
        row = object_similarity()[CATEGORIES.index(view.target)]
        self.guidance = row[kinds] if searched else np.zeros(len(kinds))
        names = [object_words(item) for item in view.scene.objects]
        told = task == "captioning"
        self.mentioned = np.array([told and name == view.caption for name in names], float)

    def at(self, eye: np.ndarray) -> int:
        """Object under the eye, or -1."""
        low, high = self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]
        inside = np.flatnonzero(((eye >= low) & (eye < high)).all(axis=1))
        return int(inside[0]) if inside.size else -1


def _salience(pixels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Contrast of each object's mean colour to the picture's median, times its side, z-scored."""
    picture = pixels.astype(np.float64)
    ground = np.median(picture.reshape(-1, 3), axis=0)
    values = []
    for left, top, width, height in boxes:
        part = picture[int(top) : int(top + height) + 1, int(left) : int(left + width) + 1]
        contrast = np.linalg.norm(part.reshape(-1, 3).mean(axis=0) - ground)
        values.append(contrast * np.sqrt(width * height))
    values = np.array(values)
    return (values - values.mean()) / (values.std() or 1)


def _next(
    rng: np.random.Generator,
    policy: Policy,
    items: _Items,
    eye: np.ndarray,
    at: int,
    age: np.ndarray,
    degree: float,
) -> tuple[int, np.ndarray]:
    """Choose the next object, and the point in it that the eye aims at."""
    if rng.random() < policy.lapse:
        return -1, rng.normal(DEGREES / 2, DEGREES / 5, 2) * degree
    offset = (items.centres - eye) / degree
    distance = np.maximum(np.hypot(*offset.T), 0.5)
    log_weight = policy.saliency * items.salience
    log_weight += policy.guidance * items.guidance * np.exp(-distance / policy.visibility)
    log_weight += policy.mention * items.mentioned
    log_weight -= np.log(distance / policy.amplitude) ** 2 / (2 * policy.spread**2)
    log_weight += policy.horizontal * (np.abs(offset[:, 0]) / distance - 0.5)
    if at >= 0:
        log_weight[at] = policy.saliency * items.salience[at] + policy.stay
    blocked = 1 - policy.inhibition * np.exp(-age / policy.recovery)
    log_weight = log_weight / policy.temperature + np.log(blocked)
    weight = np.exp(log_weight - log_weight.max())
    chosen = int(rng.choice(len(weight), p=weight / weight.sum()))
    side = items.boxes[chosen, 2:]
    return chosen, items.centres[chosen] + rng.normal(0, policy.within, 2) * side


def _saccade(
    rng: np.random.Generator, policy: Policy, eye: np.ndarray, aim: np.ndarray, size: int
) -> np.ndarray:
    way = aim - eye
    landed = eye + policy.gain * way + rng.normal(0, policy.scatter, 2) * np.hypot(*way)
    return np.clip(landed, 0.5, size - 0.5)


def _duration(rng: np.random.Generator, policy: Policy) -> float:
    return float(np.round(policy.duration * np.exp(policy.duration_spread * rng.normal())))
