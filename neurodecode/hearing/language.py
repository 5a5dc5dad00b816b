"""Hand what was extracted, and that it is what somebody attends to, to an audio language model.

AAD-LLM (Jiang et al. 2025, arXiv 2502.16794) puts an intention token before the question, so that
the model answers for the attended talker. Here the token says how sure the decoder is, the sound is
the extracted one, and the description of the voice is measured; the model is whatever you have:

>>> from transformers import AutoProcessor, Qwen2AudioForConditionalGeneration  # doctest: +SKIP
>>> processor = AutoProcessor.from_pretrained(folder)                           # doctest: +SKIP
>>> model = Qwen2AudioForConditionalGeneration.from_pretrained(folder)          # doctest: +SKIP
>>> add_intention_tokens(processor, model)                                      # doctest: +SKIP
>>> ask(processor, model, sound, 8000, "What is being said?", .93)              # doctest: +SKIP

Nothing is downloaded. A token that was just added means nothing until the model is tuned with it;
until then the words after it carry the message.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurodecode.hearing.description import VoiceDescription
from neurodecode.preprocess.audio.rates import resample

__all__ = ["ATTENDED", "UNSURE", "add_intention_tokens", "ask", "intention_prompt"]

#: Tokens for "this is what the listener attends to" and "the decoder does not know".
ATTENDED, UNSURE = "<|attended|>", "<|attention-unsure|>"
_SURE = 0.75


def add_intention_tokens(processor: Any, model: Any) -> int:
    """Teach tokenizer and model the two tokens; the model's table of embeddings grows.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        Has a ``tokenizer``.
    model : transformers.PreTrainedModel
        Its table is resized if anything was added.

    Returns
    -------
    int
        Tokens that were new.
    """
    tokens = {"extra_special_tokens": [ATTENDED, UNSURE]}
    added = processor.tokenizer.add_special_tokens(tokens, replace_extra_special_tokens=False)
    if added:
        model.resize_token_embeddings(len(processor.tokenizer))
    return added


def intention_prompt(
    question: str, probability: float, voice: VoiceDescription | None = None
) -> str:
    """Put the intention before the question.

    Parameters
    ----------
    question : str
        Of the user.
    probability : float
        Posterior of the talker who was extracted.
    voice : VoiceDescription, optional
        What the voice is like.

    Returns
    -------
    str
        Token, what it says in words, question.
    """
    token = ATTENDED if probability >= _SURE else UNSURE
    said = f"The listener attends to this talker with probability {probability:.2f}"
    if voice is not None:
        said += f", {voice.sentence()}"
    return f"{token} {said}. {question}"


@torch.inference_mode()
def ask(
    processor: Any,
    model: Any,
    sound: np.ndarray,
    rate: float,
    question: str,
    probability: float,
    *,
    voice: VoiceDescription | None = None,
    max_new_tokens: int = 128,
) -> str:
    """Ask an audio language model about what was extracted.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        With a feature extractor and a chat template that takes sounds, as Qwen2-Audio's.
    model : transformers.PreTrainedModel
        Generates.
    sound : array of shape (n_samples,) or (2, n_samples)
        From `neurodecode.hearing.streaming.extract`; ears are averaged.
    rate : float
        In Hz; brought to that of the processor.
    question : str
        What to ask.
    probability : float
        Posterior of the talker.
    voice : VoiceDescription, optional
        What the voice is like.
    max_new_tokens : int
        Length of the answer.

    Returns
    -------
    str
        The answer.
    """
    wanted = processor.feature_extractor.sampling_rate
    one = np.atleast_2d(sound).mean(0)
    audio = resample(one, rate, wanted).astype(np.float32)
    said = {"type": "text", "text": intention_prompt(question, probability, voice)}
    turns = [{"role": "user", "content": [{"type": "audio", "audio": audio}, said]}]
    text = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    inputs = processor(text=text, audio=[audio], sampling_rate=wanted, return_tensors="pt")
    made = model.generate(**inputs.to(model.device), max_new_tokens=max_new_tokens)
    return processor.batch_decode(made[:, inputs["input_ids"].shape[1] :],
                                  skip_special_tokens=True)[0]  # fmt: skip
