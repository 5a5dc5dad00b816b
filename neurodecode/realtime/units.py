"""Units in which streams come."""

from __future__ import annotations

import logging

from neurodecode.errors import ConfigError

__all__ = ["factor", "known_unit"]

log = logging.getLogger(__name__)
_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_WORDS = {"milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f"}
_BASE = {"v": "", "volt": "", "volts": "", "t": "", "tesla": "", "t/m": "", "ft/cm": ""}


def factor(unit: str | None) -> float | None:
    """Tell what a value has to be multiplied with to be in V, T or T/m.

    Parameters
    ----------
    unit : str or None
        ``uV``, ``microvolts``, ``fT``, ..., or a power of ten as MNE-LSL writes it (``-6``);
        None and ``none`` stand for V, T or T/m.

    Returns
    -------
    float or None
        None for a unit that nobody knows.
    """
    text = (unit or "none").strip().lower().replace("µ", "u").replace("μ", "u")
    if text == "none":
        return 1.0
    if text.lstrip("-").isdigit():
        return 10.0 ** int(text)
    if text == "ft/cm":
        return 1e-13
    for word, short in _WORDS.items():
        if text.startswith(word):
            text = short + text.removeprefix(word)
    for prefix in sorted(_PREFIX, key=len, reverse=True):
        if text.startswith(prefix) and text.removeprefix(prefix) in _BASE:
            return _PREFIX[prefix]
    return None


def known_unit(unit: str) -> float:
    """Do the same for a unit that a user gives.

    Parameters
    ----------
    unit : str
        See `factor`.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    ConfigError
        If it is unknown.
    """
    found = factor(unit)
    if found is None:
        raise ConfigError(f"--unit {unit}: unknown; give V, mV, uV, nV, T, pT, fT, T/m or fT/cm")
    return found
