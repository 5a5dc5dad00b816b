"""One core, one readout for each subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from neurodecode.context import BuildContext
from neurodecode.errors import ConfigError, unknown_subject
from neurodecode.nn.encoders.core import ConvCore
from neurodecode.nn.encoders.readout import FactorisedReadout, ReadoutFactory

__all__ = ["SharedCoreEncoder"]


class SharedCoreEncoder(nn.Module):
    """Pictures -> responses of every subject.

    Parameters
    ----------
    context : BuildContext
        Subjects, feature counts and picture size.
    core : callable
        Makes the part that all subjects share; it needs ``out_shape(height, width)``.
    readout : callable
        Makes the part of each subject.

    Raises
    ------
    ConfigError
        If the data has no pictures.
    """

    def __init__(
        self,
        context: BuildContext,
        core: Callable[[], nn.Module] = ConvCore,
        readout: ReadoutFactory = FactorisedReadout,
    ) -> None:
        super().__init__()
        if context.image_size is None:
            raise ConfigError(
                "an encoder needs pictures; use neurodecode.loaders.EncodingDataModule"
            )
        self.core = core().to(memory_format=torch.channels_last)
        shape = self.core.out_shape(*context.image_size)
        # names of subjects may hold dots, which names of modules may not
        self.subjects = list(context.n_features)
        self.readouts = nn.ModuleList(readout(shape, n) for n in context.n_features.values())

    def forward(self, images: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Predict responses.

        Parameters
        ----------
        images : mapping of str to Tensor of shape (n_images, 3, height, width)
            Pictures with values of order one, by subject; subjects may be absent.

        Returns
        -------
        dict of str to Tensor of shape (n_images, n_features)
            Predicted responses of each subject to its pictures.

        Raises
        ------
        ConfigError
            If a subject is unknown.
        """
        if unknown := [subject for subject in images if subject not in self.subjects]:
            raise unknown_subject(unknown[0], self.subjects)
        joined = torch.cat(list(images.values())).contiguous(memory_format=torch.channels_last)
        features = self.core(joined)
        counts = [len(each) for each in images.values()]
        return {
            subject: self.readouts[self.subjects.index(subject)](part)
            for subject, part in zip(images, features.split(counts), strict=True)
        }
