"""Tokens as a decoder would give them: calibrated, and fitted to nothing but training scenes."""

from __future__ import annotations

import pytest
import torch

from neurodecode.tasks.pretrain_channel import DecodingChannel

SHAPE = (7, 9)
N = 20_000


@pytest.fixture(scope="module")
def tokens() -> torch.Tensor:
    """Gaussian tokens around a mean, with variances from 9 down to 9 / 63² in some basis."""
    generator = torch.Generator().manual_seed(3)
    size = SHAPE[0] * SHAPE[1]
    basis = torch.linalg.qr(torch.randn(size, size, generator=generator))[0]
    spread = 3 / torch.arange(1, size + 1)
    flat = (torch.randn(N, size, generator=generator) * spread) @ basis
    return (flat + 2 * torch.randn(size, generator=generator)).view(N, *SHAPE)


def make(tokens: torch.Tensor, **options) -> DecodingChannel:
    channel = DecodingChannel(*SHAPE, **options)
    channel.fit(tokens)
    torch.manual_seed(0)
    return channel


def components(channel: DecodingChannel, tokens: torch.Tensor) -> torch.Tensor:
    return (tokens.flatten(1) - channel.mean) @ channel.basis.T


def test_truth_is_on_average_what_was_decoded(tokens):
    channel = make(tokens, n_components=31, clean=0.0)
    true, decoded = components(channel, tokens), components(channel, channel(tokens))
    slopes = (true * decoded).mean(dim=0) / decoded.square().mean(dim=0)
    torch.testing.assert_close(slopes[:12], torch.ones(12), rtol=0, atol=0.05)
    # less than the truth is left of every component, and the less the smaller it is
    left = decoded.var(dim=0) / true.var(dim=0)
    assert left.max() < 1
    assert left[:4].min() > left[-4:].max()


def test_a_share_passes_as_it_is(tokens):
    channel = make(tokens, n_components=31, clean=0.3)
    same = (channel(tokens) == tokens).flatten(1)
    assert (same.all(dim=1) | ~same.any(dim=1)).all()
    assert float(same[:, 0].float().mean()) == pytest.approx(0.3, abs=0.02)
    everything = make(tokens, clean=1.0)
    assert torch.equal(everything(tokens), tokens)


def test_much_noise_leaves_the_mean_and_little_leaves_the_tokens(tokens):
    loud = make(tokens, levels=(1e8, 1e9), clean=0.0)
    spread = tokens.std(dim=0)
    assert ((loud(tokens) - tokens.mean(dim=0)).std(dim=0) / spread).max() < 0.01
    quiet = make(tokens, levels=(1e-9, 1e-8), clean=0.0)
    assert ((quiet(tokens) - tokens).std(dim=0) / spread).max() < 0.01


def test_what_is_beyond_the_components_is_lost(tokens):
    channel = make(tokens, n_components=8, levels=(1e-9, 1e-8), clean=0.0)
    decoded = channel(tokens)
    again = components(channel, decoded) @ channel.basis + channel.mean
    torch.testing.assert_close(decoded.flatten(1), again, atol=1e-4, rtol=1e-4)
    rest = (decoded - tokens).flatten(1).var(dim=0).sum()
    everything = torch.linalg.eigvalsh(torch.cov(tokens.flatten(1).T)).flip(0)
    torch.testing.assert_close(rest, everything[8:].sum(), rtol=0.02, atol=0)


def test_fit_takes_mean_and_components_of_the_first_scenes(tokens):
    channel = make(tokens, n_components=8)
    flat = tokens[:10_000].flatten(1)
    torch.testing.assert_close(channel.mean, flat.mean(dim=0))
    values, vectors = torch.linalg.eigh(torch.cov(flat.T, correction=0))
    torch.testing.assert_close(channel.variance, values.flip(0)[:8], rtol=1e-3, atol=0)
    alike = (channel.basis @ vectors.flip(1)[:, :8]).abs()
    torch.testing.assert_close(alike, torch.eye(8), atol=1e-3, rtol=0)
    half = make(tokens[:10_000].half())
    torch.testing.assert_close(half.mean, channel.mean, atol=1e-3, rtol=0)


def test_few_scenes_or_short_tokens_are_no_error(tokens):
    channel = make(tokens[:5], n_components=512)
    assert channel.basis.shape == (63, 63)
    assert channel(tokens[:5]).isfinite().all()
