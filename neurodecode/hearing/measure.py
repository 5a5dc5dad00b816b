"""How well unheard talkers are extracted: each test scene, with the right and the wrong voice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from neurodecode.hearing.corpus import Recorded
from neurodecode.hearing.encoder import SpeakerEncoder
from neurodecode.hearing.extractor import TalkerExtractor
from neurodecode.hearing.scene_data import embed_enrolments
from neurodecode.hearing.scenes import SceneOptions, draw_scene
from neurodecode.hearing.streaming import extract
from neurodecode.hearing.talkers import RATE
from neurodecode.metrics.functional import level_difference, si_sdr, time_difference

__all__ = ["Shown", "judge", "measure_scenes"]

#: Called with the number of a scene and its sounds, (2, n_samples) each, by name.
Shown = Callable[[int, dict[str, np.ndarray]], None]


def measure_scenes(
    talkers: Sequence[Recorded],
    encoder: SpeakerEncoder,
    network: TalkerExtractor,
    options: SceneOptions,
    n: int,
    seed: int,
    *,
    show: Shown | None = None,
) -> Iterator[dict[str, Any]]:
    """Extract the first talker of each scene, and the first again by the voice of the second.

    Parameters
    ----------
    talkers : sequence of Recorded
        Whom nothing was trained on.
    encoder, network : Module
        Trained.
    options : SceneOptions
        What scenes are like.
    n, seed : int
        How many scenes, and which.
    show : callable, optional
        Gets the sounds.

    Yields
    ------
    dict
        Two for each scene, ``voice`` right and wrong: all scores against the right talker.
    """
    voices = torch.nn.functional.normalize(embed_enrolments(encoder, talkers).mean(1), dim=-1)
    for number in range(n):
        scene = draw_scene(talkers, options, np.random.default_rng([seed, number]))
        target, other = scene.images
        about = {
            "scene": number,
            "talker": talkers[scene.talkers[0]].talker,
            "other": talkers[scene.talkers[1]].talker,
            "pitch_ratio": talkers[scene.talkers[0]].pitch_hz / talkers[scene.talkers[1]].pitch_hz,
            "azimuth_deg": scene.azimuth_deg[0],
            "other_azimuth_deg": scene.azimuth_deg[1],
            "voice_cosine": float(voices[scene.talkers[0]] @ voices[scene.talkers[1]]),
            "decay_s": scene.decay_s,
        }
        sounds = {"mixture": scene.mixture, "target": target, "other": other}
        wishes = voices[list(scene.talkers)][:, None]
        extracted = extract(network, scene.mixture, wishes, chunks=500)
        for voice, found in zip(("right", "wrong"), extracted, strict=True):
            sounds[voice] = found
            yield {**about, "voice": voice, **judge(found, target, other)}
        if show is not None:
            show(number, sounds)


def judge(found: np.ndarray, target: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Compare what was extracted with the talkers.

    Parameters
    ----------
    found, target, other : array of shape (2, n_samples)
        What came out, and what it and the other talker are at the ears.

    Returns
    -------
    dict of str to float
        Improvement of SI-SDR, errors between the ears of output and of the mixture, and whether
        it was the other talker.
    """
    out, right, wrong = (torch.as_tensor(each).double() for each in (found, target, other))
    mixture = right + wrong
    to_right, to_wrong = si_sdr(out, right).mean(), si_sdr(out, wrong).mean()
    levels = level_difference(torch.stack([out, right, mixture]))
    times = 1e6 * time_difference(torch.stack([out, right, mixture]), RATE)
    return {
        "si_sdr_db": float(to_right),
        "si_sdr_improvement_db": float(to_right - si_sdr(mixture, right).mean()),
        "confused": float(to_wrong > to_right),
        "ild_error_db": float((levels[0] - levels[1]).abs()),
        "itd_error_us": float((times[0] - times[1]).abs()),
        "mixture_ild_error_db": float((levels[2] - levels[1]).abs()),
        "mixture_itd_error_us": float((times[2] - times[1]).abs()),
    }
