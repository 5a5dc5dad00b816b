"""How the miniature viewers look: a policy whose every part is known.

The next fixation is drawn among the objects with weights

    exp(saliency * s + guidance * g * visibility + mention * m)
        * amplitude preference * direction preference * inhibition of return

(Guided Search: Wolfe 1994; normalisation of salience over the picture: Itti and Koch 2000), with a
small share of fixations that go anywhere, biased to the centre. The eye lands near the middle of
the object, saccades fall short and scatter, and the eye tracker adds noise. Numbers are of the
order of those in the literature named at `Policy`; they are not moved to reach a result. One term
was mended before any model had been scored: similarity with the target counts relative to its
mean over categories, since else it hardly guided (targets found first in .20 of arrays, .27 after).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["DEGREES", "Policy", "Viewer"]

#: The picture's side in degrees of visual angle (that of MIT1003's and OSIE's order).
DEGREES = 16.0


@dataclass(frozen=True)
class Policy:
    """Parameters of how people look; degrees, milliseconds and log odds.

    Parameters
    ----------
    saliency : float
        Weight of an object's standardised salience (its size and contrast to the picture).
    guidance : float
        Weight of its similarity with the target in search: first saccades go to targets several
        times as often as chance (Chen et al. 2021).
    mention : float
        Weight of having been mentioned. Mentioned objects attract gaze at once (Altmann and
        Kamide 1999).
    visibility : float
        Eccentricity at which guidance has fallen to 1/e (Carrasco et al. 1995).
    amplitude, spread : float
        Preferred saccade: median and log deviation (Tatler and Vincent 2008; Bahill et al. 1975:
        most natural saccades are below 15 degrees).
    horizontal : float
        Log odds of a horizontal against a vertical saccade (Gilchrist and Harvey 2006).
    inhibition, recovery : float
        Share by which the weight of a visited object falls, and the number of fixations after
        which the rest is 1/e (Klein and MacInnes 1999; Itti and Koch 2000).
    stay : float
        Log odds of another fixation on the same object (a sixth of the fixations in search among
        book covers are such: .17, computed on the data set `amazon`).
    lapse : float
        Share of fixations that go to no object.
    gain, scatter : float
        Saccades cover this share of their way (Becker 1972), with this relative deviation
        (van Opstal and van Gisbergen 1989).
    within : float
        Deviation of landing places in shares of the object's side (Nuthmann and Henderson 2010).
    duration, duration_spread : float
        Median and log deviation of fixation durations (Nuthmann et al. 2010).
    recognition : float
        Probability that a fixated target is recognised.
    tracker : float
        Deviation of the eye tracker's noise (data sheets of video eye trackers: .25 to .5).
    temperature : float
        Divides the log weights.
    """

    saliency: float = 0.6
    guidance: float = 3.0
    mention: float = 1.5
    visibility: float = 8.0
    amplitude: float = 4.0
    spread: float = 0.7
    horizontal: float = 0.5
    inhibition: float = 0.8
    recovery: float = 5.0
    stay: float = -0.5
    lapse: float = 0.1
    gain: float = 0.95
    scatter: float = 0.09
    within: float = 0.15
    duration: float = 240.0
    duration_spread: float = 0.4
    recognition: float = 0.95
    tracker: float = 0.35
    temperature: float = 1.0


@dataclass(frozen=True)
class Viewer:
    """One miniature person.

    Parameters
    ----------
    name : str
        Number.
    policy : Policy
        The common policy with this person's own deviations.
    """

    name: str
    policy: Policy

    @classmethod
    def sample(cls, rng: np.random.Generator, name: str, spread: float = 0.15) -> Viewer:
        """Draw a person.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        name : str
            Number.
        spread : float
            Log deviation of weights, preferred saccade and durations between people.

        Returns
        -------
        Viewer
            Who differs a little from the others.
        """
        base = Policy()
        own = ("saliency", "guidance", "mention", "amplitude", "duration", "temperature")
        factors = np.exp(spread * rng.standard_normal(len(own)))
        changed = {name: getattr(base, name) * f for name, f in zip(own, factors.tolist())}
        return cls(name, replace(base, **changed))
