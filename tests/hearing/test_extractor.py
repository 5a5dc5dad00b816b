"""The extractor: chunk by chunk as in one piece, nothing of the future, any attention."""

from __future__ import annotations

import pytest
import torch
from hearing_world import extractor

from neurodecode.errors import ConfigError
from neurodecode.hearing.filterbank import CHUNK, Analysis, Synthesis
from neurodecode.hearing.streaming import chunk_times_s, extract


@pytest.fixture(scope="module")
def sound():
    return 0.1 * torch.randn(2, 2, 30 * CHUNK, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
@pytest.mark.parametrize("attention", ["softmax", "sigmoid"])
def test_a_step_at_a_time_is_the_whole(sound, attention):
    network = extractor(attention=attention)
    wishes = torch.randn(2, 30, 7, generator=torch.Generator().manual_seed(1))
    whole = network(sound, wishes)
    state, parts = network.start(2), []
    for number, chunk in enumerate(sound.split(CHUNK, -1)):
        made, state = network.step(chunk, state, wishes[:, number : number + 1])
        parts.append(made)
    torch.testing.assert_close(torch.cat(parts, -1), whole, atol=1e-6, rtol=0)
    # 19 chunks are more than attention reaches back, so this was no test of the beginning alone
    assert network.blocks[0].past < 19


@torch.no_grad()
def test_nothing_of_the_future_is_used(sound):
    network, wish = extractor(), torch.randn(2, 7)
    other = sound.clone()
    other[..., 17 * CHUNK :] = torch.randn(2, 2, 13 * CHUNK)
    before, after = network(sound, wish), network(other, wish)
    torch.testing.assert_close(before[..., : 17 * CHUNK], after[..., : 17 * CHUNK], atol=1e-6,
                               rtol=0)  # fmt: skip
    assert (before - after)[..., 17 * CHUNK : 18 * CHUNK].abs().max() > 1e-3


@torch.no_grad()
def test_several_voices_of_one_sound_are_those_taken_one_by_one(sound):
    network, wishes = extractor(), torch.randn(6, 7)
    together = network(sound, wishes)
    for row in range(6):
        one = network(sound[row // 3 : row // 3 + 1], wishes[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], one, atol=1e-6, rtol=0)
    assert (together[0] - together[1]).abs().max() > 1e-3  # the voice makes a difference


@torch.no_grad()
def test_nothing_is_attended_to_before_the_beginning(sound):
    wish = torch.randn(2, 7)
    few, many = (extractor(past=past)(sound[..., : 9 * CHUNK], wish) for past in (9, 14))
    torch.testing.assert_close(few, many, atol=1e-6, rtol=0)


@torch.no_grad()
def test_loudness_of_the_input_is_that_of_the_output(sound):
    # 1e-10 below the root keeps silence from being divided by
    network, wish = extractor(), torch.randn(2, 7)
    torch.testing.assert_close(network(8 * sound, wish), 8 * network(sound, wish), atol=1e-4,
                               rtol=1e-3)  # fmt: skip


def test_what_is_not_changed_comes_out_as_it_went_in(sound):
    analysis, synthesis = Analysis(), Synthesis()
    spectra, _ = analysis(sound, analysis.start(2, 2))
    made, _ = synthesis(spectra, synthesis.start(2, 2))
    delay = 32
    torch.testing.assert_close(made[..., delay:], sound[..., :-delay], atol=1e-6, rtol=0)


def test_a_file_is_extracted_in_time_whatever_is_computed_together(sound):
    network = extractor()
    wish, ears = torch.randn(7), sound[0, :, :1500].numpy()
    whole = extract(network, ears, wish)
    assert whole.shape == ears.shape
    assert abs(whole - extract(network, ears, wish, chunks=7)).max() < 1e-6
    wishes = torch.stack([torch.randn(9, 7), wish.expand(9, -1)])
    assert abs(whole - extract(network, ears, wishes)[1]).max() < 1e-6
    with torch.no_grad():
        late = network(torch.nn.functional.pad(sound[:1, :, :1500], (0, 64)), wish[None])
    assert abs(whole - late[0, :, 32:1532].numpy()).max() < 1e-6


def test_times_are_measured_and_one_block_is_refused():
    clock, busy = chunk_times_s(extractor(), 3)
    assert len(clock) == 3
    assert (clock > 0).all()
    assert (busy <= clock + 0.02).all()
    with pytest.raises(ConfigError, match="two blocks"):
        extractor(blocks=1)
