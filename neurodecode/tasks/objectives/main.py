"""The terms that every decoder may have, and those that a configuration adds."""

from __future__ import annotations

from collections.abc import Sequence

from neurodecode.errors import ConfigError
from neurodecode.tasks.objectives.base import Objective
from neurodecode.tasks.objectives.errors import LatentError, TokenError
from neurodecode.tasks.objectives.pairs import Contrast

__all__ = ["with_main"]


def with_main(
    contrastive: float, token: float, latent: float, others: Sequence[Objective] = ()
) -> list[Objective]:
    """Put the contrast of all tokens and the two errors before other terms.

    Parameters
    ----------
    contrastive, token, latent : float
        Weights; without weight, the errors are left out and the contrast is only logged.
    others : sequence of Objective
        Further terms.

    Returns
    -------
    list of Objective
        All terms.

    Raises
    ------
    ConfigError
        If two terms have the same name.
    """
    contrast = Contrast(contrastive)
    contrast.name = "contrastive"
    terms: list[Objective] = [contrast]
    terms += [TokenError(token)] if token else []
    terms += [LatentError(latent)] if latent else []
    terms += others
    names = [term.name for term in terms]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"model.objectives holds {', '.join(repeated)} more than once")
    return terms
