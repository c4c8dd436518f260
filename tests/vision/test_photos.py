from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hemline.datasets.pictures import photos
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import load_pictures, open_photo, resize_photo
from PIL import Image, ImageOps, JpegImagePlugin, features


def encoded(image: Image.Image, kind: str = "png", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(width: int = 40, height: int = 30) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def shop(folder: Path, **photos: tuple[str, ...]) -> Catalogue:
    return Catalogue(tuple(Article(name, tuple(str(folder / p) for p in paths)) for name, paths in photos.items()))


def test_a_truncated_jpeg_is_refused_although_verify_passes() -> None:
    content = encoded(noise(), "jpeg")[:-200]
    Image.open(io.BytesIO(content)).verify()
    with pytest.raises(ValueError, match="whole picture, got a truncated"):
        open_photo(content)


def test_a_truncated_png_is_refused() -> None:
    with pytest.raises(ValueError, match="whole picture"):
        open_photo(encoded(noise())[:-300])


@pytest.mark.parametrize(("content", "words"), [(b"just words", "no picture"), (b"", "empty file")])
def test_a_file_that_is_no_photo_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_photo(content)


def test_a_cmyk_photo_keeps_its_colours() -> None:
    red = Image.new("RGB", (8, 8), (220, 30, 30)).convert("CMYK")
    pixel = np.asarray(open_photo(encoded(red, "jpeg", quality=95)))[4, 4].astype(int)
    assert np.abs(pixel - [220, 30, 30]).max() < 12


def test_a_grey_photo_has_three_equal_channels() -> None:
    pixels = np.asarray(open_photo(encoded(noise().convert("L"))))
    assert pixels.shape == (30, 40, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    levels = np.full((4, 4), 32896, dtype=np.uint16)
    assert np.asarray(open_photo(encoded(Image.fromarray(levels))))[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize(
    ("dtype", "top"),
    [("uint16", 65535), ("uint16", 4095), ("int32", 65535), ("int32", 255), ("float32", 1), ("float32", 255)],
)
def test_grey_of_any_depth_is_scaled_by_the_range_that_holds_it(dtype: str, top: int) -> None:
    levels = np.linspace(0, top, 16).astype(dtype).reshape(4, 4)
    found = np.asarray(open_photo(encoded(Image.fromarray(levels), "tiff")))[..., 0].ravel().astype(int)
    assert np.abs(found - np.linspace(0, 255, 16)).max() <= 1


@pytest.mark.parametrize("level", [-1.0, 1e6, np.nan])
def test_grey_out_of_every_range_is_refused(level: float) -> None:
    levels = np.full((4, 4), level, dtype=np.float32)
    with pytest.raises(ValueError, match="expected levels of grey of at most 16 bits, got"):
        open_photo(encoded(Image.fromarray(levels), "tiff"))


def test_a_palette_photo_shows_its_colours_and_its_holes_as_white() -> None:
    photo = Image.new("RGBA", (6, 6), (0, 0, 200, 255))
    photo.putpixel((0, 0), (0, 0, 0, 0))
    pixels = np.asarray(open_photo(encoded(photo.quantize(4))))
    assert pixels[3, 3].tolist() == [0, 0, 200]
    assert pixels[0, 0].tolist() == [255, 255, 255]


def test_an_exif_rotated_photo_stands_upright() -> None:
    photo = Image.new("RGB", (20, 10), "white")
    photo.paste((0, 0, 0), (0, 0, 10, 10))
    exif = photo.getexif()
    exif[274] = 6
    upright = np.asarray(open_photo(encoded(photo, "jpeg", exif=exif, quality=95)))
    assert upright.shape == (20, 10, 3)
    assert upright[2].mean() < 20
    assert upright[-3].mean() > 235


def test_a_photo_whose_exif_data_cannot_be_written_anew_stands_upright() -> None:
    # An image width that is a text, then the orientation 6: readable, as every viewer shows.
    odd = b"II*\0\x08\0\0\0\x02\0" + b"\0\x01\x02\0\x04\0\0\0abc\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + bytes(4)
    assert open_photo(encoded(noise(40, 30), "jpeg", exif=b"Exif\0\0" + odd)).size == (30, 40)


@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_that_of_pillow(orientation: int) -> None:
    photo = noise()
    photo.getexif()[274] = orientation
    content = encoded(photo, "png", exif=photo.getexif())
    right = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert np.array_equal(np.asarray(open_photo(content)), np.asarray(right))


def test_whatever_a_decoder_raises_quarantines_its_photo_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def getexif(photo: Image.Image) -> Image.Exif:
        raise struct.error("unpack requires a buffer of 4 bytes")

    noise().save(tmp_path / "1.png")
    noise().save(tmp_path / "2.jpg")
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "getexif", getexif)
    pictures = load_pictures(shop(tmp_path, a=("2.jpg", "1.png")), 8)
    assert len(pictures) == 1
    assert "whole picture, got a truncated or broken one (unpack requires" in pictures.quarantine[0].reason


@pytest.mark.parametrize("fit", ["pad", "crop"])
def test_resizing_keeps_proportions(fit: str) -> None:
    photo = Image.new("RGB", (80, 40), "black")
    pixels = resize_photo(photo, 16, fit=fit)
    assert pixels.shape == (3, 16, 16)
    assert (pixels[0].mean(axis=1) < 1).sum() == (8 if fit == "pad" else 16)


def test_resizing_refuses_an_unknown_fit() -> None:
    with pytest.raises(ValueError, match="'stretch'"):
        resize_photo(noise(), 8, fit="stretch")


def test_bad_photos_are_quarantined_by_name_and_the_rest_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(encoded(noise(), "jpeg"))
    (tmp_path / "cut.jpg").write_bytes(encoded(noise(), "jpeg")[:-200])
    (tmp_path / "words.jpg").write_text("no photo")
    catalogue = shop(tmp_path, a=("good.jpg", "cut.jpg"), b=("words.jpg",), c=("gone.jpg",), d=(), e=("good.jpg",))
    pictures = load_pictures(catalogue, 16)
    assert pictures.article.tolist() == [0, 4]
    assert pictures.counts(5).tolist() == [1, 0, 0, 0, 1]
    assert pictures.pixels.shape == (2, 3, 16, 16)
    assert pictures.content[0] == pictures.content[1]
    assert [(q.item_id, Path(q.address).name) for q in pictures.quarantine] == [
        ("a", "cut.jpg"),
        ("b", "words.jpg"),
        ("c", "gone.jpg"),
    ]
    assert [q.reason for q in pictures.quarantine][2] == "there is no such file"
    assert all(q.reason for q in pictures.quarantine)


def test_the_first_good_photos_are_used_when_their_number_is_limited(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("no photo")
    for name in ("1.png", "2.png", "3.png"):
        Image.new("RGB", (4, 4), (int(name[0]), 0, 0)).save(tmp_path / name)
    catalogue = shop(tmp_path, a=("bad.jpg", "1.png", "2.png", "3.png"), b=(), c=("3.png", "1.png", "2.png"))
    pictures = load_pictures(catalogue, 4)
    few = pictures.first(2)
    assert few.pixels[:, 0, 0, 0].tolist() == [1, 2, 3, 1]
    assert few.article.tolist() == [0, 0, 2, 2]
    assert few.content == (*pictures.content[:2], *pictures.content[3:5])
    assert pictures.first(None) is pictures
    with pytest.raises(ValueError, match="max_images: expected at least 1, got 0"):
        pictures.first(0)


def test_the_same_photo_in_another_container_has_the_same_fingerprint(tmp_path: Path) -> None:
    noise().save(tmp_path / "1.png")
    noise().save(tmp_path / "2.bmp")
    noise().rotate(90, expand=True).save(tmp_path / "3.png")
    first, second, third = load_pictures(shop(tmp_path, a=("1.png", "2.bmp", "3.png")), 8).content
    assert first == second != third


def test_a_jpeg_with_spoilt_bytes_is_refused() -> None:
    content = bytearray(encoded(noise(), "jpeg"))
    content[600:640] = b"\xff\xd8" * 20
    with pytest.raises(ValueError, match="whole picture, got a truncated or broken one"):
        open_photo(bytes(content))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_a_damaged_avif_is_refused() -> None:
    content, refused = encoded(noise(), "avif"), 0
    for start in range(100, len(content) - 40, 20):
        try:
            open_photo(content[:start] + bytes(40) + content[start + 40 :])
        except ValueError:
            refused += 1
    assert refused


def test_an_error_of_a_file_system_quarantines_the_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoCredentialsError(Exception):
        pass

    original = photos.fsspec.open

    def opened(address: str, mode: str):
        if address.startswith("s3://"):
            raise NoCredentialsError("Unable to locate credentials")
        return original(address, mode)

    noise().save(tmp_path / "1.png")
    monkeypatch.setattr(photos.fsspec, "open", opened)
    catalogue = Catalogue((Article("a", ("s3://shop/0.png", str(tmp_path / "1.png"))),))
    pictures = load_pictures(catalogue, 8)
    assert len(pictures) == 1
    assert [bad.reason for bad in pictures.quarantine] == ["NoCredentialsError: Unable to locate credentials"]
