"""Trained decoders as a folder that is loaded without the data they were trained on."""

from neurodecode.pretrained.decoder import PretrainedDecoder

__all__ = ["PretrainedDecoder"]
