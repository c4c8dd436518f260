"""The histogram of an article's colours, against matplotlib and counts by hand."""

import numpy as np
import pytest
import torch
from hemline.vision.networks.colours import ColourHistogram, foreground, hue_saturation_value
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
