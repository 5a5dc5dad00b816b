"""Terms on the direction of a decoded part and of a target."""

from __future__ import annotations

from torch import Tensor

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError
from neurodecode.losses import bimixco, soft_clip, unit_rows
from neurodecode.nn.decoder import BrainDecoder, token_shape
from neurodecode.tasks.objectives.base import Objective
from neurodecode.tasks.objectives.step import Read, Step

__all__ = ["Contrast", "CosineError"]


class _Pair(Objective):
    """A term on a decoded part and a target.

    Parameters
    ----------
    weight : float
        Of the term.
    read : {"tokens", "class", "text"}
        Decoded part: the projected tokens, the first of them, or the output of the text head.
    target : str or None
        Target it is compared with; by default the one that part is decoded for. Of tokens, only
        the first is taken for ``class``; a target of one vector is taken as it is.
    mixing_weight : float, optional
        While trials are mixed; `weight` by default.
    """

    suffix = ""

    def __init__(
        self,
        weight: float = 1.0,
        read: Read = "tokens",
        target: str | None = None,
        mixing_weight: float | None = None,
    ) -> None:
        super().__init__(weight, mixing_weight)
        self.part, self.target = read, target
        self.name = f"{read}_{target or 'own'}{self.suffix}"

    def _target(self, decoder: BrainDecoder) -> str:
        return self.target or (decoder.text if self.part == "text" else decoder.target)

    def targets(self, decoder: BrainDecoder) -> tuple[str, ...]:
        """Every training picture must have the target."""
        return (self._target(decoder),)

    def check(self, decoder: BrainDecoder, context: BuildContext) -> None:
        """Both sides must exist and be of one size."""
        target = self._target(decoder)
        if self.part == "text" and decoder.text_head is None:
            raise ConfigError(
                "an objective reads text, which this decoder has no head for; set"
                " model.decoder.text_head"
            )
        if target not in context.targets:
            raise ConfigError(
                f"an objective needs the target {target!r} (the data has:"
                f" {', '.join(context.targets) or 'none'}); name its embedding file under"
                " data.embeddings"
            )
        wanted = token_shape(context.targets[target])
        decoded = decoder.token_shape
        if self.part == "text":
            decoded = token_shape(context.targets[decoder.text])
        elif self.part == "class":
            decoded, wanted = (1, decoded[1]), (1, wanted[1])
        if decoded != wanted:
            raise ConfigError(
                f"an objective compares decoded {self.part} {decoded} with the target {target!r}"
                f" {wanted}; choose an embedding of that size, or give the decoder a text_head"
            )

    def sides(self, step: Step) -> tuple[Tensor, Tensor, Tensor | None]:
        """Decoded, true and wrong rows, before they are normalised.

        Parameters
        ----------
        step : Step
            The batch.

        Returns
        -------
        decoded, true : Tensor of shape (n_batch, ...)
            Both sides.
        negatives : Tensor of shape (n_negatives, ...) or None
            Targets of other stimuli.
        """
        target = self._target(step.decoder)
        true, others = step.targets[target], step.negatives.get(target)
        if self.part == "class":
            true = _first(true)
            others = None if others is None else _first(others)
        return step.read(self.part), true, others


def _first(target: Tensor) -> Tensor:
    return target[:, 0] if target.ndim == 3 else target


class Contrast(_Pair):
    """BiMixCo while trials are mixed, SoftCLIP afterwards; on unit rows."""

    def __call__(self, step: Step) -> Tensor:
        """Contrast the rows of the batch with one another and with the negatives."""
        decoded, true, others = self.sides(step)
        predicted, true = unit_rows(decoded), unit_rows(true)
        others = None if others is None else unit_rows(others)
        if step.mixup is None:
            return soft_clip(predicted, true, step.temperature, negatives=others)
        return bimixco(predicted, true, step.mixup, step.temperature, negatives=others)


class CosineError(_Pair):
    """One minus the cosine.

    MindBridge takes the squared error of unit rows, averaged over their D elements; that is
    2 / D of this, so that its weight means something else for every embedding.
    """

    suffix = "_cosine"

    def __call__(self, step: Step) -> Tensor:
        """Average over the rows of the batch."""
        decoded, true, _ = self.sides(step)
        return 1 - (unit_rows(decoded) * unit_rows(step.mixed(true))).sum(dim=1).mean()
