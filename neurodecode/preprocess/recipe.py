"""How a MEG or EEG recording becomes epochs: one YAML file, one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from neurodecode.errors import ConfigError

__all__ = ["Recipe", "read_recipe", "recipe_from_plain"]

_CHOICES: dict[str, tuple[Any, ...]] = {
    "reference": (None, "average"),
    "scale": (None, "robust"),
    "whiten": (None, "time", "epochs"),
    "bad_channels": ("interpolate", "drop", "keep"),
}


@dataclass(frozen=True)
class Recipe:
    """Preprocessing of one data set, in the order in which it is done.

    The first group works on each run alone; `scale`, `clamp` and `whiten` need more than one
    trial and are fitted to training trials, after the split.

    Parameters
    ----------
    channels : str or None
        Regular expression; only matching channels are used.
    bad_channels : {"interpolate", "drop", "keep"}
        What happens to channels that the recording names as bad, and to those that
        `find_bad` finds.
    find_bad : float or None
        A channel is bad in a run if the logarithm of its standard deviation is this many robust
        standard deviations away from the median channel, or if it is flat.
    notch_hz : tuple of float
        Line frequencies to remove.
    low_hz, high_hz : float or None
        Edges of the pass band in Hz.
    causal : bool
        Filter forwards only (Butterworth, order 4), as a live stream can; otherwise without
        phase shift (FIR).
    sfreq_hz : float or None
        Sampling rate of the epochs; the recording's own if None.
    tmin_s, tmax_s : float
        First and last time of an epoch, in seconds from onset.
    baseline_s : tuple of (float, float) or None
        The mean over this interval is subtracted from each channel of each epoch.
    reference : {None, "average"}
        EEG reference.
    reject : mapping of str to float
        Largest peak-to-peak amplitude by channel type (``eeg``, ``mag``, ``grad``), in V, T or
        T/m; epochs above are dropped and counted.
    flat : mapping of str to float
        Smallest peak-to-peak amplitude, in the same way.
    scale : {None, "robust"}
        Subtract the median of each channel and divide by its interquartile range, in each
        session.
    clamp : float or None
        Limit values to this many units (after `scale`).
    whiten : {None, "time", "epochs"}
        Multivariate noise normalisation in each session, see `preprocess.whitening`.
    source : str
        Where the recipe is from.
    """

    channels: str | None = None
    bad_channels: str = "interpolate"
    find_bad: float | None = None
    notch_hz: tuple[float, ...] = ()
    low_hz: float | None = 0.1
    high_hz: float | None = 40.0
    causal: bool = False
    sfreq_hz: float | None = None
    tmin_s: float = -0.2
    tmax_s: float = 0.8
    baseline_s: tuple[float, float] | None = (-0.2, 0.0)
    reference: str | None = None
    reject: Mapping[str, float] = field(default_factory=dict)
    flat: Mapping[str, float] = field(default_factory=dict)
    scale: str | None = "robust"
    clamp: float | None = 20.0
    whiten: str | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"recipe: {name} is {getattr(self, name)!r}; known:"
                    f" {', '.join('null' if each is None else str(each) for each in known)}"
                )
        if not self.tmin_s < self.tmax_s:
            raise ConfigError(f"recipe: tmin_s {self.tmin_s} is not before tmax_s {self.tmax_s}")
        if self.baseline_s is not None:
            start, stop = self.baseline_s
            if not self.tmin_s <= start <= stop <= self.tmax_s:
                raise ConfigError(
                    f"recipe: baseline_s [{start}, {stop}] is not within the epoch"
                    f" [{self.tmin_s}, {self.tmax_s}]"
                )
        if None not in (self.low_hz, self.high_hz) and not self.low_hz < self.high_hz:
            raise ConfigError(f"recipe: low_hz {self.low_hz} is not below high_hz {self.high_hz}")
        if self.clamp is not None and self.scale is None:
            raise ConfigError("recipe: clamp counts robust units; give scale: robust with it")

    @property
    def is_fitted(self) -> bool:
        """Whether something is fitted to training trials."""
        return self.scale is not None or self.whiten is not None

    def without_fitted(self) -> Recipe:
        """Return the same recipe up to what is fitted to training trials.

        Returns
        -------
        Recipe
            Without scaling, clamping and whitening.
        """
        return replace(self, scale=None, clamp=None, whiten=None)

    def plain(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values.

        Returns
        -------
        dict
            Field name to value.
        """
        content = asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in content.items()
        }


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path : path-like
        YAML file with fields of `Recipe`.

    Returns
    -------
    Recipe
        What it says; fields that are absent keep their defaults.

    Raises
    ------
    ConfigError
        If the file is missing or is no YAML mapping, or a field is unknown or has a wrong value.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"recipe {path} is missing; see configs/preprocess") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe {path} is not valid YAML") from error
    if not isinstance(content, dict):
        raise ConfigError(f"recipe {path} is not a mapping of fields to values")
    return recipe_from_plain(content, str(path))


def recipe_from_plain(content: Mapping[str, Any], origin: str = "") -> Recipe:
    """Take a recipe from plain values, as in a YAML file or in the ``info`` of a store.

    Parameters
    ----------
    content : mapping of str to value
        Fields of `Recipe`.
    origin : str
        Where they are from, for errors.

    Returns
    -------
    Recipe
        What they say; fields that are absent keep their defaults.

    Raises
    ------
    ConfigError
        If a field is unknown or has a wrong value.
    """
    known, where = [each.name for each in fields(Recipe)], f"recipe {origin}".strip()
    for name in content:
        if name not in known:
            raise ConfigError(f"{where}: unknown field {name}; known: {', '.join(known)}")
    try:
        return Recipe(**{name: _value(name, value) for name, value in content.items()})
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}" if origin else str(error)) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: a value has the wrong type ({error})") from error


def _value(name: str, value: Any) -> Any:
    """Turn YAML's lists into tuples, and numbers that YAML takes for text (1e-6) into numbers."""
    if name in ("notch_hz", "baseline_s") and value is not None:
        return tuple(float(each) for each in value)
    if name in ("reject", "flat"):
        return {kind: float(limit) for kind, limit in (value or {}).items()}
    if name in ("low_hz", "high_hz", "sfreq_hz", "tmin_s", "tmax_s", "clamp", "find_bad"):
        return None if value is None else float(value)
    return value
