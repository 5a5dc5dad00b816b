"""PixCorr and SSIM against fixtures and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reference_numbers import read_reference
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure as padded_ssim
from torchvision.transforms.functional import resize as torchvision_resize

from neurodecode.errors import DataError
from neurodecode.metrics.functional import pixcorr, ssim
from neurodecode.metrics.functional.pixels import as_images, resize_images, rgb_to_gray


@pytest.fixture
def pair(fixtures_dir):
    inputs, expected = read_reference(fixtures_dir, "image_metrics")
    images = [np.array(inputs[k], dtype=np.uint8) for k in ("truth_uint8", "recon_uint8")]
    return *images, expected


@pytest.mark.parametrize("layout", ["channels first", "channels last"])
@pytest.mark.parametrize(
    ("size", "key", "tolerance"),
    [(None, "pixcorr_native", 1e-6), (425, "pixcorr_resized_425", 1e-5)],
)
def test_pixcorr(pair, layout, size, key, tolerance):
    truth, recon, expected = pair
    if layout == "channels last":
        truth, recon = truth.transpose(0, 2, 3, 1), recon.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(pixcorr(truth, recon, size=size), expected[key], atol=tolerance)


@pytest.mark.parametrize("antialias", [True, False])
def test_pixcorr_when_shrinking(pair, antialias):
    truth, recon, expected = pair
    large = [image.repeat(4, axis=2).repeat(4, axis=3) for image in (truth, recon)]
    got = pixcorr(*large, size=40, antialias=antialias)
    key = f"pixcorr_96_to_40_antialias_{str(antialias).lower()}"
    np.testing.assert_allclose(got, expected[key], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "key", "tolerance"),
    [
        ({"size": None}, "ssim_native", 1e-6),
        ({"size": 425}, "ssim_resized_425", 1e-5),
        ({"size": None, "sample_covariance": True}, "ssim_native_sample_cov", 1e-6),
        (
            {"size": None, "sample_covariance": True, "window": "uniform"},
            "ssim_native_default_uniform7",
            1e-6,
        ),
    ],
)
def test_ssim(pair, options, key, tolerance):
    truth, recon, expected = pair
    np.testing.assert_allclose(ssim(truth, recon, **options), expected[key], atol=tolerance)


def test_what_else_is_printed_as_ssim(pair):
    """The other numbers of the fixture are those of other definitions, and not ours."""
    truth, recon, expected = pair
    native = ssim(truth, recon, size=None).numpy()
    np.testing.assert_allclose(native, expected["ssim_native_multichannel_kw"], atol=1e-6)
    rgb = [torch.from_numpy(image).double() / 255 for image in (truth, recon)]
    gray = [rgb_to_gray(image)[:, None] for image in rgb]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    others = {
        "torchmetrics_ssim_gray_native": padded_ssim(*gray, data_range=1.0, reduction="none"),
        "torchmetrics_ssim_rgb_native": padded_ssim(*rgb, data_range=1.0, reduction="none"),
        "ssim_native_channel_axis_last_on_gray": [
            structural_similarity(a, b, data_range=1.0, channel_axis=-1, **options)
            for a, b in zip(*(image[:, 0].numpy() for image in gray), strict=True)
        ],
    }
    for name, values in others.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5, err_msg=name)
        # the last pair are identical pictures
        assert np.abs(native - expected[name])[:2].min() > 1e-3, name


@pytest.mark.parametrize("chunk", [1, 2, 8])
def test_ssim_against_scikit_image_on_oblong_images(rng, chunk):
    truth = rng.random((3, 17, 23, 3))
    recon = np.clip(truth + 0.2 * rng.normal(size=truth.shape), 0, 1)
    want = [
        structural_similarity(
            rgb2gray(a), rgb2gray(b), data_range=1.0, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(truth, recon, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(ssim(truth, recon, size=None, chunk=chunk), want, atol=1e-9)


def test_gray_and_resize_against_other_libraries(rng):
    images = rng.random((2, 19, 13, 3))
    gray = rgb_to_gray(as_images(images))
    np.testing.assert_allclose(gray, np.stack([rgb2gray(i) for i in images]), atol=1e-12)
    pixels = as_images(images)
    for size, antialias in ((9, True), (9, False), (40, True)):
        want = torchvision_resize(pixels, [size, size], antialias=antialias)
        torch.testing.assert_close(resize_images(pixels, size, antialias=antialias), want)


def test_uniform_images():
    noise = torch.rand(1, 3, 16, 16)
    gray = torch.full((1, 3, 16, 16), 0.4)
    assert pixcorr(noise, gray, size=None).isnan().all()
    torch.testing.assert_close(ssim(gray, gray, size=None), torch.ones(1, dtype=torch.float64))
    assert 0 < float(ssim(gray, gray + 0.1, size=None)) < 1


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 9, 4)), "not that of RGB"),
        (np.zeros((8, 9, 3)), "not that of RGB"),
        (np.full((1, 8, 9, 3), 200.0), "within"),
        (np.full((1, 8, 9, 3), -0.1), "within"),
        (np.full((1, 8, 9, 3), np.nan), "within"),
        (np.zeros((1, 8, 9, 3), dtype=int), "uint8"),
    ],
)
def test_what_is_no_picture_is_refused(images, message):
    with pytest.raises(DataError, match=message):
        pixcorr(images, images)


def test_pairs_that_do_not_match_are_refused():
    with pytest.raises(DataError, match="2 images but 1 recon"):
        pixcorr(np.zeros((2, 8, 9, 3)), np.zeros((1, 8, 9, 3)))
    with pytest.raises(DataError, match="give a size"):
        pixcorr(np.zeros((1, 8, 9, 3)), np.zeros((1, 9, 8, 3)), size=None)
    with pytest.raises(DataError, match="smaller than the window"):
        ssim(np.zeros((1, 8, 20, 3)), np.zeros((1, 8, 20, 3)), size=None)


def test_images_of_different_shapes_are_compared_after_resizing():
    truth = np.random.default_rng(0).random((2, 16, 24, 3))
    assert pixcorr(truth, truth[:, ::2, ::2], size=12).shape == (2,)
