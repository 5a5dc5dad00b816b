from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.datasets.mini.scenes import Scene, SceneObject, captions, render
from neurodecode.errors import ConfigError, DataError
from neurodecode.gaze.nevaclip import NevaClip
from neurodecode.nn.scanpath.foveation import blur, fovea, foveated
from neurodecode.scanpaths import Scanpath, Scanpaths

SCENE = Scene((SceneObject("face", "white", 0.25, 0.3, 0.3),
               SceneObject("car", "red", 0.75, 0.7, 0.3)), "grass", 3)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> NevaClip:
    return NevaClip(search={"n_steps": 6})


def pixels_of(image: np.ndarray) -> torch.Tensor:
    return torch.tensor(image).permute(2, 0, 1)[None].float() / 255


def test_views_at_the_fixations_come_closer_to_the_caption_than_elsewhere(model):
    caption = captions(SCENE)[0]
    pixels = pixels_of(render(SCENE, 64)).expand(20, -1, -1, -1)
    wanted = model._goals(pixels, [caption] * 20)
    search = model.search
    with torch.no_grad():
        blurred = blur(pixels, search.blur_kernel, search.blur_sigma)
        anywhere = 2 * torch.rand(20, 2, generator=torch.Generator().manual_seed(0)) - 1
        views = foveated(pixels, blurred, fovea(anywhere, (64, 64), search.sigma))
        chance = 1 - torch.cosine_similarity(model.embed(views), wanted)
    _, found = search(model.embed, pixels[:1], wanted[:1], 1, torch.Generator().manual_seed(1))
    assert found[0, 0] < chance.quantile(0.3)


def test_scanpaths_have_the_labels_and_the_seed(model):
    image, caption = render(SCENE, 96), captions(SCENE)[0]
    drawn = model.predict(image, caption=caption, n_fixations=3, n_samples=2, seed=1)
    assert len(drawn) == 2
    assert drawn.caption[0] == caption
    assert set(drawn.n_fixations) == {3}
    assert drawn.size == {"": (96, 96)}
    assert not drawn.check().any()
    assert np.isnan(drawn.duration).all()
    again = model.predict(image, caption=caption, n_fixations=3, n_samples=2, seed=1)
    np.testing.assert_array_equal(drawn.x, again.x)


def test_a_picture_that_is_not_square_keeps_its_coordinates(model):
    image = np.tile(render(SCENE, 48), (1, 2, 1))
    (xy,) = model.predict_many([image], [None], 4)
    assert xy.shape == (4, 2)
    assert (xy >= 0.5).all()
    assert (xy <= [95.5, 47.5]).all()
    # pictures of other sizes beside it change nothing before the first restart
    short = NevaClip(search={"n_steps": 2})
    (alone,) = short.predict_many([image], [None], 2)
    beside = short.predict_many([image, render(SCENE, 96)], [None, "a red car"], 2)[0]
    np.testing.assert_allclose(beside, alone, atol=1e-3)


def test_caption_and_picture_are_different_goals(model):
    pixels = pixels_of(render(SCENE, 64))
    goals = model._goals(pixels.expand(2, -1, -1, -1), [None, "a red car"])
    text = model.embedder.encode_texts(["a red car"])[0]
    picture = model.embedder.encode_images(render(SCENE, 64)[None].copy())["pooled"][0]
    for goal, wanted in zip(goals.numpy(), (picture, text), strict=True):
        np.testing.assert_allclose(goal, wanted / np.linalg.norm(wanted), atol=1e-5)


def test_the_goal_may_be_a_mean_of_caption_and_picture():
    pixels, caption = pixels_of(render(SCENE, 64)), [captions(SCENE)[0]]
    words = NevaClip(picture=0)._goals(pixels, caption)
    seen = NevaClip(picture=0)._goals(pixels, [None])
    mixed = NevaClip(picture=0.25)._goals(pixels, caption)
    torch.testing.assert_close(mixed, 0.25 * seen + 0.75 * words)
    torch.testing.assert_close(NevaClip(picture=1)._goals(pixels, caption), seen)
    assert not torch.allclose(words, seen)


def test_the_blur_is_a_share_of_the_towers_picture():
    published, strong = NevaClip().search, NevaClip(fovea=0.1, blur=0.1875).search
    # 10 of 224 pixels, and a kernel of 41 of them, for a tower of 64
    assert published.blur_sigma == pytest.approx(10 / 224 * 64)
    assert (published.blur_kernel, published.sigma) == (13, 0.2)
    assert (strong.blur_sigma, strong.blur_kernel, strong.sigma) == (12, 49, 0.1)
    for bad in ({"picture": 1.5}, {"fovea": 0}, {"blur": 0.4}):
        with pytest.raises(ConfigError, match="nevaclip takes picture from 0 to 1"):
            NevaClip(**bad)


def test_words_of_others_come_from_training_pictures_only():
    one = np.ones(1)
    paths = [
        Scanpath(one, one, one, stimulus=words, caption=words, size=(9, 8))
        for words in ("a red car", "a blue fish", "")
    ]
    model = NevaClip(search={"n_steps": 1}, words="other")
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="needs training captions"):
        model._goal("a red car", rng)
    model.fit(Scanpaths.from_list(paths), {})
    assert {model._goal("a red car", rng) for _ in range(9)} == {"a blue fish"}
    assert {model._goal("a tree", rng) for _ in range(20)} == {"a red car", "a blue fish"}
    assert NevaClip(words="none")._goal("a red car", rng) is None
    assert NevaClip()._goal("a red car", rng) == "a red car"
    with pytest.raises(ConfigError, match="not 'wrong'"):
        NevaClip(words="wrong")


def test_bad_input_is_named(model):
    image = render(SCENE, 64)
    with pytest.raises(DataError, match=r"field caption: caption of \d+ tokens, .* reads 32"):
        model.predict(image, caption="a red car " * 20, n_fixations=1)
    with pytest.raises(DataError, match="1 captions for 2 pictures"):
        model.predict_many([image, image], ["a car"], 1)
    with pytest.raises(ConfigError, match="needs an OpenCLIP model, not gabor"):
        NevaClip("gabor")
