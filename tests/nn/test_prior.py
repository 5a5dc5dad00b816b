from __future__ import annotations

import json

import pytest
import torch

from neurodecode.errors import ConfigError
from neurodecode.nn.diffusion import Diffusion, guide, row_noise
from neurodecode.nn.prior import PriorTransformer

# diffusers' UniPC on numpy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def reference(fixtures_dir):
    return json.loads((fixtures_dir / "diffusion_prior.json").read_text())


def close(actual, expected, rtol=1e-4, atol=2e-6):
    expected = torch.as_tensor(expected, dtype=torch.float32)
    torch.testing.assert_close(actual.float(), expected, rtol=rtol, atol=atol)


def test_schedule_and_forward_process(reference):
    given, expected = reference["inputs"], reference["expected"]
    process = Diffusion(given["T"]).forward_process
    steps = expected["timesteps_checked"]
    close(process.betas[steps], expected["betas"])
    close(process.alphas_cumprod[steps], expected["alphas_cumprod"])
    noised = process.add_noise(
        torch.tensor(given["x0"]), torch.tensor(given["noise"]), torch.tensor(given["t"])
    )
    close(noised, expected["q_sample"])


def test_posterior(reference):
    given, expected = reference["inputs"], reference["expected"]
    sampler = Diffusion(given["T"]).scheduler("ddpm")
    sampler.set_timesteps(given["T"])
    noised = torch.tensor(expected["q_sample"])
    for row, step in enumerate(given["t"]):
        variance = sampler._get_variance(torch.tensor(step))
        close(variance, expected["posterior_variance"][row])
        close(variance.log(), expected["posterior_log_variance_clipped"][row])
        seeded = torch.Generator().manual_seed(3)
        drawn = sampler.step(
            torch.tensor(given["x0"])[row], step, noised[row], generator=seeded
        ).prev_sample
        noise = torch.randn(noised[row].shape, generator=torch.Generator().manual_seed(3))
        close(drawn - variance.sqrt() * noise, expected["posterior_mean"][row])


def test_loss_is_the_mean_squared_error_of_the_estimate(reference):
    given, expected = reference["inputs"], reference["expected"]
    estimate, clean = torch.tensor(given["pred_x0_cond"]), torch.tensor(given["x0"])
    loss = Diffusion(given["T"]).loss(lambda *_: estimate, clean, clean)
    close(loss, expected["loss_x0"])


def test_guidance(reference):
    given = reference["inputs"]
    passes = [torch.tensor(given[f"pred_x0_{name}"]) for name in ("cond", "null")]
    for scale, values in reference["expected"]["guided"].items():
        close(guide(*passes, float(scale)), values)


@pytest.mark.parametrize(("null_noised", "sees"), [("keep", True), ("drop", False)])
def test_what_the_unconditional_pass_sees(null_noised, sees):
    seen = []

    def network(noised, time, condition, keep_condition=None, keep_noised=None):
        if keep_condition is not None:
            assert not keep_condition.any()
            seen.append(keep_noised is None or bool(keep_noised.all()))
        return noised

    diffusion = Diffusion(null_noised=null_noised)
    values = torch.randn(2, 3, 5)
    diffusion.estimate(network, values, torch.tensor([4, 4]), values, 2.0)
    diffusion.estimate(network, values, torch.tensor([4, 4]), values, 1.0)
    assert seen == [sees]


@pytest.mark.parametrize("drop", [0.0, 1.0])
@pytest.mark.parametrize("null_noised", ["keep", "drop"])
def test_training_drops_what_it_says(drop, null_noised):
    kept = {}

    def network(noised, time, condition, keep_condition, keep_noised):
        kept["condition"] = keep_condition.float().mean().item()
        kept["noised"] = 1.0 if keep_noised is None else keep_noised.float().mean().item()
        return noised

    clean = torch.randn(9, 3, 5)
    Diffusion(drop=drop, null_noised=null_noised).loss(network, clean, clean)
    assert kept["condition"] == 1 - drop
    assert kept["noised"] == (1 - drop if null_noised == "drop" else 1.0)


@pytest.mark.parametrize("queries", ["position", "token"])
def test_network_shapes_gradients_and_nulls(queries):
    network = PriorTransformer((3, 5), (4, 7), width=16, depth=2, n_heads=2, queries=queries)
    noised, condition = torch.randn(6, 3, 5), torch.randn(6, 4, 7)
    time = torch.arange(6)
    keep = torch.tensor([True, False] * 3)
    out = network(noised, time, condition, keep, keep.flip(0))
    assert out.shape == (6, 3, 5)
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    # a dropped condition has no influence, a kept one has
    other = network(noised, time, condition + 1, keep, keep.flip(0))
    changed = (out != other).flatten(1).any(dim=1)
    assert changed.tolist() == keep.tolist()


def test_residual_network_starts_from_the_condition():
    network = PriorTransformer((3, 5), (3, 5), width=16, depth=1, n_heads=2, residual=True)
    torch.nn.init.zeros_(network.write[1].weight)
    torch.nn.init.zeros_(network.write[1].bias)
    noised, condition = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    out = network(noised, torch.zeros(2), condition, torch.tensor([True, False]))
    assert torch.equal(out[0], condition[0])
    assert not out[1].any()
    with pytest.raises(ConfigError, match=r"residual .* shape \(3, 5\), not \(4, 7\)"):
        PriorTransformer((3, 5), (4, 7), residual=True)


def test_network_depends_on_time():
    network = PriorTransformer((3, 5), (4, 7), width=16, depth=1, n_heads=2)
    noised, condition = torch.randn(1, 3, 5), torch.randn(1, 4, 7)
    early, late = (network(noised, torch.tensor([t]), condition) for t in (1, 90))
    assert not torch.allclose(early, late)


def test_row_noise_does_not_depend_on_the_batch():
    together = row_noise((3, 5), [4, 8, 15], torch.device("cpu"))
    assert torch.equal(together[1:2], row_noise((3, 5), [8], torch.device("cpu")))
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "unipc"])
@pytest.mark.parametrize("guidance", [1.0, 1.5])
def test_samplers_recover_what_a_perfect_network_knows(sampler, guidance):
    truth = torch.randn(4, 3, 5)

    def perfect(noised, time, condition, *dropped):
        return truth

    drawn = Diffusion(100).sample(
        perfect, truth, torch.randn(4, 3, 5), n_steps=20, sampler=sampler, guidance=guidance,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    # the last step of ddpm still adds noise of the first step's size
    torch.testing.assert_close(drawn, truth, rtol=0, atol=0.1 if sampler == "ddpm" else 5e-3)


@pytest.mark.parametrize("sampler", ["ddim", "unipc"])
def test_samples_follow_a_known_distribution(sampler):
    # data ~ N(m, s^2): the best estimate is linear in the noised value, and is known
    mean, deviation = 0.7, 0.4
    diffusion = Diffusion(1000)
    alphas = diffusion.forward_process.alphas_cumprod

    def best(noised, time, condition):
        alpha = alphas[time[0]]
        gain = alpha.sqrt() * deviation**2 / (alpha * deviation**2 + 1 - alpha)
        return mean + gain * (noised - alpha.sqrt() * mean)

    noise = torch.randn(4000, 1, 1, generator=torch.Generator().manual_seed(1))
    drawn = diffusion.sample(best, noise, noise, n_steps=100, sampler=sampler)
    assert drawn.mean() == pytest.approx(mean, abs=0.03)
    assert drawn.std() == pytest.approx(deviation, rel=0.05)


def test_unknown_sampler_lists_the_known():
    with pytest.raises(ConfigError, match="known: ddpm, ddim, unipc"):
        Diffusion().scheduler("euler")
