"""The histogram of an article's colours, against matplotlib and counts by hand."""

import numpy as np
import pytest
import torch
from hemline.vision.networks.colours import (
    ColourHistogram,
    LabColours,
    cielab,
    foreground,
    hue_saturation_value,
)
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import rgb_to_hsv


@given(st.integers(0, 2**32 - 1))
def test_hue_saturation_and_value_are_those_of_matplotlib(seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (1, 3, 4, 4)) / 255.0
    pixels[0, :, 0] = pixels[0, 0, 0]  # some grey
    expected = rgb_to_hsv(pixels[0].transpose(1, 2, 0))
    found = torch.stack(hue_saturation_value(torch.from_numpy(pixels)), dim=-1)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_the_ground_does_not_count_and_shares_do_not_depend_on_the_size_of_the_article():
    def shirt(side):
        images = torch.full((1, 3, 40, 40), 0.97)
        images[0, :, 10 : 10 + side, 10 : 10 + side // 2] = torch.tensor([0.8, 0.1, 0.1])[:, None, None]
        images[0, :, 10 : 10 + side, 10 + side // 2 : 10 + side] = torch.tensor([0.1, 0.1, 0.8])[:, None, None]
        return images

    small, large = (ColourHistogram()(shirt(side)) for side in (10, 20))
    assert torch.allclose(small, large)
    assert small[small > 0].square().tolist() == pytest.approx([0.5, 0.5])
    assert int(foreground(shirt(10)).sum()) == 100


def test_a_photo_of_one_colour_counts_as_a_whole():
    images = torch.full((1, 3, 8, 8), 0.3)
    assert bool(foreground(images).all())
    assert float(ColourHistogram()(images).square().sum()) == 1.0


def test_cielab_is_that_of_published_colours():
    """sRGB red, green, blue, white, a grey and a nearly black one, to the values that colour tables print for D65."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128), (10, 10, 10)]
    wanted = [
        (53.24, 80.09, 67.20),
        (87.73, -86.18, 83.18),
        (32.30, 79.19, -107.86),
        (100.0, 0.0, 0.0),
        (53.59, 0.0, 0.0),
        (2.74, 0.0, 0.0),
    ]
    pixels = torch.tensor(colours, dtype=torch.float64).T[None, :, :, None] / 255
    np.testing.assert_allclose(cielab(pixels)[0, :, :, 0].T.numpy(), wanted, atol=0.02)


def test_lab_colours_leave_the_ground_out_and_share_a_pixel_between_two_hues():
    images = torch.full((1, 3, 40, 40), 0.97)
    images[0, :, 10:20, 10:20] = torch.tensor([0.8, 0.1, 0.1])[:, None, None]
    colours = LabColours()
    histogram, places = colours(images).split([colours.bins, 192], dim=1)
    held = histogram[0].nonzero()[:, 0]
    assert held.tolist() == sorted(held.tolist())
    assert len(held) == 2
    assert held[1] - held[0] == 1  # the same lightness and chroma, two neighbouring hues
    assert float(histogram.square().sum()) == pytest.approx(1)
    lightness = places.reshape(3, 8, 8)[0]
    assert float(lightness[0, 0]) == pytest.approx(0.97, abs=0.01)
    assert float(lightness[2, 2]) < 0.5


def test_what_has_next_to_no_chroma_has_no_hue():
    rng = torch.Generator().manual_seed(0)
    greys = 0.5 + 0.004 * torch.rand(1, 3, 16, 16, generator=rng)
    colours = LabColours()
    assert int((colours(greys)[:, : colours.bins] > 0).sum()) == 1


def test_a_large_photo_has_the_colours_of_a_small_one():
    rng = torch.Generator().manual_seed(0)
    small = torch.rand(1, 3, 8, 8, generator=rng)
    large = small.repeat_interleave(32, dim=2).repeat_interleave(32, dim=3)
    assert torch.allclose(LabColours()(small), LabColours()(large), atol=1e-4)
