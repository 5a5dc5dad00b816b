"""MixCo: mixing within subjects, contrast over all of them, no mass lost."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from reference_numbers import read_reference, tensor

from neurodecode.losses import Mixup, bimixco, draw_mixup, mix_responses, mixing_matrix

EXACT = {"rtol": 1e-8, "atol": 1e-10}
PERMUTATIONS = {
    "plain": "perm",
    "fixed_point_unselected": "perm_fixed_point_unselected",
    "fixed_point_selected": "perm_fixed_point_selected",
}


def mixup_of(inputs: dict, permutation: list[int]) -> Mixup:
    shares = torch.where(torch.tensor(inputs["select"]), tensor(inputs["betas"]), 1.0)
    return Mixup(torch.tensor(permutation), shares)


@pytest.mark.parametrize("case", PERMUTATIONS)
def test_values(fixtures_dir, case):
    inputs, expected = read_reference(fixtures_dir, "bimixco")
    mixup = mixup_of(inputs, inputs[PERMUTATIONS[case]])
    want = expected[case]
    torch.testing.assert_close(mixup.lambdas, tensor(want["betas_used"]))
    weights = mixing_matrix(mixup.permutation, mixup.lambdas)
    torch.testing.assert_close(weights, tensor(want["target_matrix_mass_preserving"]))
    torch.testing.assert_close(mixup.mix(tensor(inputs["voxels"])), tensor(want["mixed_voxels"]))
    loss = bimixco(tensor(inputs["preds"]), tensor(inputs["targs"]), mixup, inputs["temp"])
    torch.testing.assert_close(loss, tensor(want["loss_mass_preserving"]), **EXACT)


@pytest.mark.parametrize("case", ["plain", "plain_temp_0.1"])
def test_gradients_and_one_direction(fixtures_dir, case):
    inputs, expected = read_reference(fixtures_dir, "bimixco")
    temperature = 0.1 if case == "plain_temp_0.1" else inputs["temp"]
    preds, mixup = tensor(inputs["preds"], grad=True), mixup_of(inputs, inputs["perm"])
    loss = bimixco(preds, tensor(inputs["targs"]), mixup, temperature)
    loss.backward()
    torch.testing.assert_close(loss, tensor(expected[case]["reference_loss"]), **EXACT)
    torch.testing.assert_close(preds.grad, tensor(expected[case]["grad_preds_reference"]), **EXACT)
    if case == "plain":
        forward = bimixco(preds, tensor(inputs["targs"]), mixup, temperature, bidirectional=False)
        want = tensor(expected[case]["reference_loss_brain_to_clip"])
        torch.testing.assert_close(forward, want, **EXACT)


def test_partners_of_the_second_subject_are_its_own_rows(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "bimixco")
    multi, want = inputs["multi"], expected["multi_subject"]["with_offset"]
    own, other = multi["perm_subject_a"], multi["perm_subject_b"]
    mixup = mixup_of(multi, own + [len(own) + row for row in other])
    preds = tensor(multi["preds"], grad=True)
    loss = bimixco(preds, tensor(multi["targs"]), mixup, multi["temp"])
    loss.backward()
    torch.testing.assert_close(loss, tensor(want["reference_loss"]), **EXACT)
    torch.testing.assert_close(preds.grad, tensor(want["grad_preds_reference"]), **EXACT)
    weights = mixing_matrix(mixup.permutation, mixup.lambdas)
    torch.testing.assert_close(weights, tensor(want["target_matrix_reference"]))


@pytest.fixture
def responses() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = {"a": (7, 11), "b": (8, 5), "c": (9, 6, 4)}
    return {name: torch.randn(*shape, generator=generator) for name, shape in shapes.items()}


def test_trials_mix_within_their_subject(responses):
    before = {name: trials.clone() for name, trials in responses.items()}
    mixed, mixup = mix_responses(responses, generator=torch.Generator().manual_seed(5))
    start = 0
    for name, trials in before.items():
        torch.testing.assert_close(responses[name], trials, rtol=0, atol=0)  # not in place
        rows = range(start, start + len(trials))
        partners = mixup.permutation[start : start + len(trials)]
        assert sorted(partners.tolist()) == list(rows)
        for row in range(len(trials)):
            share = mixup.lambdas[start + row]
            want = share * trials[row] + (1 - share) * trials[partners[row] - start]
            torch.testing.assert_close(mixed[name][row], want)
        start += len(trials)
    assert list(mixed) == list(responses)
    assert (mixup.lambdas < 1).any()
    assert (mixup.lambdas == 1).any()


def test_targets_mix_like_the_responses(responses):
    _, mixup = mix_responses(responses, generator=torch.Generator().manual_seed(5))
    targets = torch.randn(24, 3, 2)
    weights = mixing_matrix(mixup.permutation, mixup.lambdas)
    want = torch.einsum("ij,jtd->itd", weights, targets)
    torch.testing.assert_close(mixup.mix(targets), want)


def test_seeded_and_independent_of_the_global_generator(responses):
    draws = []
    for other in (1, 2):
        torch.manual_seed(other)
        draws.append(mix_responses(responses, generator=torch.Generator().manual_seed(9))[1])
    torch.testing.assert_close(draws[0].lambdas, draws[1].lambdas, rtol=0, atol=0)
    assert draws[0].permutation.tolist() == draws[1].permutation.tolist()
    state = [draw_mixup([50]).lambdas for _ in range(2) if torch.manual_seed(4)]
    torch.testing.assert_close(state[0], state[1], rtol=0, atol=0)


@pytest.mark.parametrize("alpha", [0.15, 2.0])
def test_shares_follow_the_beta_law(alpha):
    drawn = draw_mixup(
        [40_000], alpha=alpha, select=1.0, generator=torch.Generator().manual_seed(1)
    ).lambdas
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(drawn.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), abs=0.005)


@pytest.mark.parametrize("select", [0.0, 0.3, 1.0])
def test_the_chosen_share_of_trials_is_mixed(select):
    # with alpha = 2 no share rounds to 1, so that unmixed trials can be told
    generator = torch.Generator().manual_seed(1)
    drawn = draw_mixup([20_000], alpha=2.0, select=select, generator=generator).lambdas
    assert float((drawn < 1).float().mean()) == pytest.approx(select, abs=0.02)


@pytest.mark.parametrize("sizes", [[1], [1, 1, 1], []])
def test_single_trials_keep_their_mass(sizes):
    mixup = draw_mixup(sizes, generator=torch.Generator().manual_seed(2))
    weights = mixing_matrix(mixup.permutation, mixup.lambdas)
    torch.testing.assert_close(weights, torch.eye(len(mixup.lambdas)))


def test_mass_is_kept_for_any_draw():
    for seed in range(20):
        mixup = draw_mixup([3, 4, 2], generator=torch.Generator().manual_seed(seed))
        weights = mixing_matrix(mixup.permutation, mixup.lambdas)
        torch.testing.assert_close(weights.sum(1), torch.ones(9))
        blocks = torch.block_diag(torch.ones(3, 3), torch.ones(4, 4), torch.ones(2, 2))
        assert (weights[blocks == 0] == 0).all()


def test_shares_take_the_precision_of_the_responses():
    mixed, _ = mix_responses({"a": torch.randn(7, 5, dtype=torch.float16)})
    assert mixed["a"].dtype == torch.float16


def unit(n: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(n, 9, generator=generator, dtype=torch.float64), dim=-1)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_negatives_are_wrong_answers_to_every_mixed_trial(bidirectional):
    p, t, n = unit(7, 0), unit(7, 1), unit(8, 2)
    mixup = draw_mixup([3, 4], select=1.0, generator=torch.Generator().manual_seed(5))
    weights = mixing_matrix(mixup.permutation, mixup.lambdas.double())
    wrong = torch.zeros(7, 8, dtype=torch.float64)
    want = F.cross_entropy(p @ torch.cat([t, n]).T / 0.05, torch.cat([weights, wrong], dim=1))
    if bidirectional:
        want = (want + F.cross_entropy(t @ p.T / 0.05, weights.T)) / 2
    loss = bimixco(p, t, mixup, 0.05, bidirectional=bidirectional, negatives=n)
    torch.testing.assert_close(loss, want)


def test_one_trial_and_one_negative_by_hand():
    # log(1 + exp((p.n - p.t) / temperature)) one way; the other way there is nothing to tell apart
    p, t, n = (torch.tensor([row]) for row in ([1.0, 0.0], [0.6, 0.8], [0.8, -0.6]))
    alone = Mixup(torch.tensor([0]), torch.tensor([1.0]))
    want = torch.log1p(torch.exp(torch.tensor((0.8 - 0.6) / 0.1)))
    forward = bimixco(p, t, alone, 0.1, bidirectional=False, negatives=n)
    torch.testing.assert_close(forward, want)
    torch.testing.assert_close(bimixco(p, t, alone, 0.1, negatives=n), want / 2)
