from __future__ import annotations

import pytest
import torch
from reference_numbers import read_reference, tensor

from neurodecode.errors import ConfigError, DataError
from neurodecode.nn.scanpath.oat import ObjectAttentionTransformer
from neurodecode.nn.scanpath.object_scene import ObjectScene
from neurodecode.nn.scanpath.object_sequences import draw_sequences, sequence_loss
from neurodecode.nn.scanpath.pointer import Pointer
from neurodecode.nn.scanpath.position_code import GridCode, PositionCode


def scene(n_batch: int = 3, n_objects: int = 5, size: tuple[int, int] = (9, 8)) -> ObjectScene:
    present = torch.ones(n_batch, n_objects, dtype=torch.bool)
    present[-1, -1] = False
    return ObjectScene(
        torch.rand(n_batch, n_objects, 3, *size), torch.rand(n_batch, n_objects, 2), present,
        torch.rand(n_batch, 3, *size), torch.full((n_batch, 2), 0.5),
    )  # fmt: skip


def model(**options) -> ObjectAttentionTransformer:
    torch.manual_seed(0)
    return ObjectAttentionTransformer(width=16, depth=1, n_heads=2, position_dim=7, **options)


@pytest.mark.parametrize(("sigma", "key"), [(2.0, "sigma2"), (1.5, "sigma1p5")])
def test_cosines_of_position_codes_are_the_gaussian_of_the_reference(fixtures_dir, sigma, key):
    _, expected = read_reference(fixtures_dir, "oat")
    codes = PositionCode(14, sigma)(torch.arange(14.0))
    wanted = tensor(expected[f"position_similarity_{key}_row0"]).float()
    torch.testing.assert_close(codes @ codes[0], wanted, atol=2e-6, rtol=0)
    torch.testing.assert_close(codes.norm(dim=1), torch.ones(14))


def test_places_between_cells_follow_the_same_law_and_few_dimensions_nearly():
    places = torch.tensor([1.3, 4.0, 4.9, 7.25])
    for dim, tolerance in ((None, 2e-3), (6, 0.06)):
        codes = PositionCode(9, 2.0, dim)(places)
        wanted = torch.exp(-((places[:, None] - places) ** 2) / 8)
        torch.testing.assert_close(codes @ codes.T, wanted, atol=tolerance, rtol=0)
    code = GridCode(7, dim=9)
    assert code(torch.rand(2, 3, 2)).shape == (2, 3, 18)
    with pytest.raises(ConfigError, match="0 cells"):
        PositionCode(0)


def test_pointer_has_the_logits_of_the_reference(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "oat")
    pointer = Pointer(6, n_heads=2, scale=inputs["d_k"]).double()
    with torch.no_grad():
        for h, head in enumerate(inputs["heads"]):
            for part in ("encode", "decode"):
                linear = getattr(pointer, part)[h]
                linear.weight.copy_(tensor(head[f"{part}_w"]))
                linear.bias.copy_(tensor(head[f"{part}_b"]))
        pointer.join.weight.copy_(tensor(inputs["readout_w"]))
        pointer.join.bias.fill_(inputs["readout_b"])
    steps = tensor(inputs["decoder_out_step_batch_dim"]).transpose(0, 1)
    tokens = tensor(inputs["encoder_out_obj_batch_dim"]).transpose(0, 1)
    heads = pointer.heads(steps, tokens).permute(3, 1, 0, 2)
    torch.testing.assert_close(heads, tensor(expected["head_logits"])[..., :-1], rtol=1e-6, atol=0)
    logits = pointer(steps, tokens).transpose(0, 1)
    wanted = tensor(expected["logits_step_batch_candidate"])
    torch.testing.assert_close(logits, wanted[..., :-1], rtol=1e-6, atol=0)
    # the sixth candidate of the reference, padding, is the bias and says nothing
    torch.testing.assert_close(wanted[..., -1], torch.full_like(wanted[..., -1], 0.05))


@pytest.mark.parametrize("attention", ["softmax", "sigmoid"])
def test_later_fixations_and_padding_change_nothing_before(attention):
    net, pictures = model(attention=attention).eval(), scene()
    fixated = torch.randint(4, (3, 7))
    logits = net(pictures, fixated)
    assert logits.shape == (3, 8, 6)
    assert logits[:, 0, -1].eq(-torch.inf).all()
    assert logits[-1, :, 4].eq(-torch.inf).all()
    assert logits[0, 1:].isfinite().all()
    other = fixated.clone()
    other[:, 4:] = (other[:, 4:] + 1) % 4
    changed = net(pictures, other)
    torch.testing.assert_close(changed[:, :5], logits[:, :5])
    assert not torch.allclose(changed[:, 5:], logits[:, 5:])
    # the last picture alone, without its padding
    last = (each[-1:] for each in (pictures.target, pictures.start))
    objects = (each[-1:, :4] for each in (pictures.crops, pictures.places, pictures.present))
    alone = ObjectScene(*objects, *last)
    wanted = torch.cat([logits[-1:, :, :4], logits[-1:, :, 5:]], dim=2)
    torch.testing.assert_close(net(alone, fixated[-1:]), wanted, atol=1e-5, rtol=1e-5)


def test_order_of_objects_does_not_matter_but_their_place_does():
    net, pictures = model().eval(), scene(2)
    order = torch.tensor([3, 0, 4, 1, 2])
    shuffled = ObjectScene(pictures.crops[:, order], pictures.places[:, order],
                           pictures.present[:, order], pictures.target, pictures.start)  # fmt: skip
    fixated = torch.tensor([[0, 3], [2, 1]])
    renamed = torch.tensor([[1, 0], [4, 3]])
    logits = net(pictures, fixated)
    torch.testing.assert_close(net(shuffled, renamed)[..., :5], logits[..., order],
                               atol=1e-5, rtol=1e-5)  # fmt: skip
    moved = ObjectScene(pictures.crops, pictures.places.flip(1), pictures.present,
                        pictures.target, pictures.start)  # fmt: skip
    assert not torch.allclose(net(moved, fixated)[:, 1:], logits[:, 1:], atol=1e-4)


def test_loss_is_the_mean_of_steps_and_the_end():
    logits = torch.randn(2, 4, 6)
    fixated = torch.tensor([[2, 0, 1], [4, 0, 0]])
    loss = sequence_loss(logits, fixated, torch.tensor([3, 1]))
    log = logits.log_softmax(-1)
    steps = [log[0, 0, 2], log[0, 1, 0], log[0, 2, 1], log[0, 3, 5], log[1, 0, 4], log[1, 1, 5]]
    torch.testing.assert_close(loss, -torch.stack(steps).mean())


def test_drawn_sequences_have_the_frequencies_of_the_model_and_may_end():
    net, pictures = model().eval(), scene(2, 3)
    with torch.no_grad():  # small weights would make all objects alike
        net.pointer.join.weight.mul_(30)
    generator = torch.Generator().manual_seed(1)
    fixated, lengths = draw_sequences(net, pictures, 4, n_samples=2500, generator=generator)
    assert fixated.shape == (2, 2500, 4)
    first = net.decode(pictures, net.encode(pictures), torch.zeros(2, 0, dtype=torch.long))
    chance = first[:, 0, :-1].softmax(-1)
    assert chance.std() > 0.05
    counts = torch.stack([torch.bincount(row, minlength=3) for row in fixated[..., 0]]) / 2500
    torch.testing.assert_close(counts, chance, atol=0.04, rtol=0)
    assert lengths.min() >= 1
    assert lengths.unique().numel() > 2
    greedy, _ = draw_sequences(net, pictures, 4, greedy=True)
    assert greedy[:, 0, 0].tolist() == chance.argmax(1).tolist()


def test_it_learns_to_find_what_it_is_shown_among_more_objects_than_before():
    """Search: red or green target; the fixation goes to the object of that colour."""
    torch.manual_seed(0)
    net = ObjectAttentionTransformer(width=32, depth=1, n_heads=2, dropout=0.0)
    optimizer = torch.optim.Adam(net.parameters(), 6e-3)

    def trial(n: int, n_objects: int) -> tuple[ObjectScene, torch.Tensor]:
        crops = 0.2 * torch.rand(n, n_objects, 3, 8, 8)
        target, where = torch.randint(3, (n,)), torch.randint(n_objects, (n,))
        colour = torch.randint(2, (n, n_objects)) + 1 + target[:, None]
        colour[torch.arange(n), where] = target
        crops += 0.8 * torch.eye(3)[colour % 3][..., None, None]
        wanted = (0.8 * torch.eye(3)[target])[..., None, None].expand(-1, -1, 8, 8)
        return ObjectScene(crops, torch.rand(n, n_objects, 2), torch.ones(n, n_objects).bool(),
                           wanted, torch.full((n, 2), 0.5)), where  # fmt: skip

    for _ in range(40):
        pictures, where = trial(24, 4)
        loss = sequence_loss(net(pictures, where[:, None]), where[:, None], torch.ones(24).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    pictures, where = trial(200, 7)
    found, lengths = draw_sequences(net.eval(), pictures, 3, greedy=True)
    assert (found[:, 0, 0] == where).float().mean() > 0.9
    assert (lengths == 1).float().mean() > 0.9


def test_misfitting_scenes_are_named():
    good = scene()
    with pytest.raises(DataError, match=r"field places: shape \(3, 5, 3\), wanted \(3, 5, 2\)"):
        ObjectScene(good.crops, torch.rand(3, 5, 3), good.present, good.target, good.start)
    with pytest.raises(DataError, match="field objects: a picture without objects"):
        ObjectScene(good.crops, good.places, good.present & False, good.target, good.start)
    with pytest.raises(ConfigError, match="width 10"):
        ObjectAttentionTransformer(width=10, n_heads=4)
