"""Every metric of reconstructions against another library, on photographs.

PixCorr agrees to 1e-6, SSIM (in single precision here, double there) to 5e-5.
"""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import correlation
from scipy.stats import pearsonr
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity
from torchmetrics.functional import pearson_corrcoef
from torchmetrics.functional.image import structural_similarity_index_measure
from torchvision.transforms.functional import resize

from neurodecode.metrics.functional import (
    correlation_distance,
    pixcorr,
    ssim,
    two_way_identification,
)
from neurodecode.metrics.functional.pixels import PUBLISHED

pytestmark = pytest.mark.realdata
N = 7


@pytest.fixture(scope="module")
def photos(real_data):
    """Seven photographs, and worse versions of them: (n, 112, 112, 3) uint8."""
    with ZipFile(real_data / "v4_natural_images" / "images" / "images_190923.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[:N]
        files = [BytesIO(archive.read(name)) for name in names]
    truth = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    blurred = gaussian_filter(truth.astype(float), (0, 3, 3, 0))
    noise = np.random.default_rng(5).normal(scale=12, size=truth.shape)
    return truth, np.clip(blurred + noise, 0, 255).astype(np.uint8)


def published(images):
    """The two resizings of the published scores, by torchvision."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255
    for side in (256, 425):
        pixels = resize(pixels, [side, side], antialias=False)
    return pixels


def test_pixcorr(photos):
    truth, drawn = map(published, photos)
    got = pixcorr(*photos, **PUBLISHED)
    want = [pearsonr(a.flatten(), b.flatten()).statistic for a, b in zip(truth, drawn, strict=True)]
    np.testing.assert_allclose(got, want, atol=1e-6)
    other = pearson_corrcoef(drawn.flatten(1).T.double(), truth.flatten(1).T.double())
    np.testing.assert_allclose(got, other, atol=1e-6)
    # the step to 256 pixels is part of the definition
    assert (got - pixcorr(*photos)).abs().max() > 1e-4


def test_ssim_of_scikit_image(photos):
    gray = [rgb2gray(published(images).permute(0, 2, 3, 1).numpy()) for images in photos]
    options = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5}
    want = [
        structural_similarity(a, b, use_sample_covariance=False, **options)
        for a, b in zip(*gray, strict=True)
    ]
    np.testing.assert_allclose(ssim(*photos, **PUBLISHED), want, atol=5e-5)


def test_ssim_variants_are_not_the_published_one(photos):
    gray = [rgb2gray(images) for images in photos]
    rows = [torch.from_numpy(images)[:, None] for images in gray]
    ours = ssim(*photos, size=None)
    padded = structural_similarity_index_measure(*rows, data_range=1.0, reduction="none")
    assert (ours - padded).abs().max() > 1e-3
    # named options give scikit-image's other settings
    want = [structural_similarity(a, b, data_range=1.0) for a, b in zip(*gray, strict=True)]
    got = ssim(*photos, size=None, window="uniform", sample_covariance=True)
    np.testing.assert_allclose(got, want, atol=5e-5)
    want = [
        structural_similarity(a, b, data_range=1.0, gaussian_weights=True, sigma=1.5)
        for a, b in zip(*gray, strict=True)
    ]
    np.testing.assert_allclose(ssim(*photos, size=None, sample_covariance=True), want, atol=5e-5)


def test_two_way_and_distance_of_pixels(photos):
    truth, drawn = (images[:, ::8, ::8].reshape(N, -1).astype(float) for images in photos)
    r = np.corrcoef(truth, drawn)[:N, N:]
    want = (r < np.diag(r)).sum(axis=0) / (N - 1)
    np.testing.assert_allclose(two_way_identification(truth, drawn), want)
    want = [correlation(a, b) for a, b in zip(truth, drawn, strict=True)]
    np.testing.assert_allclose(correlation_distance(truth, drawn), want, atol=1e-12)


def test_one_photo_ties_and_uniform_pictures(photos):
    truth, _ = photos
    assert two_way_identification(truth[:1], truth[:1]).isnan().all()
    # two equal photographs: their reconstructions cannot be told apart, and ties are wrong
    twice = truth[[0, 0, 1, 2]]
    assert two_way_identification(twice, twice).tolist() == pytest.approx([2 / 3, 2 / 3, 1, 1])
    half = two_way_identification(twice, twice, ties="half")
    assert half.tolist() == pytest.approx([2.5 / 3, 2.5 / 3, 1, 1])
    gray = np.full_like(truth, 127)
    assert pixcorr(truth, gray, **PUBLISHED).isnan().all()
    assert correlation_distance(truth, gray).isnan().all()
    assert two_way_identification(truth, gray).tolist() == [0] * N
    pair = [published(images[:1])[0].permute(1, 2, 0).numpy() for images in (truth, gray)]
    want = structural_similarity(
        *map(rgb2gray, pair),
        data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert float(ssim(truth[:1], gray[:1], **PUBLISHED)) == pytest.approx(want, abs=5e-5)
