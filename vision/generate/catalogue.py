"""Generated images as a catalogue that every reader of photos here opens."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from ...runtime.run_folder import RunFolder

DESCRIPTION, TABLE, PHOTOS = "catalogue.toml", "articles.jsonl", "images"


def write_catalogue(
    address: str, images: np.ndarray, columns: Mapping[str, Sequence[str]], names: Sequence[str] | None = None
) -> None:
    """Write images as PNG, a table of what each was made for, and the description that `open_source` reads.

    Arguments:
        address: a folder or fsspec address without a catalogue.
        images: uint8 ``[n, 1 or 3, S, S]``.
        columns: label column -> the label of each image.
        names: item ids, which are names of files too; by default numbers.

    Raises:
        ValueError: a catalogue is there, or a name occurs twice.
    """
    folder = RunFolder(address)
    if names is not None and (twice := [name for number, name in enumerate(names) if name in names[:number]]):
        raise ValueError(f"names: expected each once, got {twice[0]!r} twice")
    with folder.alone("out"):
        if folder.has(DESCRIPTION):
            raise ValueError(f"out: expected a folder without a catalogue, got one in {address}")
        digits = len(str(len(images) - 1))
        rows = []
        for number, image in enumerate(images):
            name = f"{number:0{digits}d}" if names is None else names[number]
            pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
            content = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(pixels)).save(content, "png")
            folder.write_bytes(f"{PHOTOS}/{name}.png", content.getvalue())
            rows.append(
                {"item_id": name, "image": f"{name}.png", **{key: told[number] for key, told in columns.items()}}
            )
        table = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        folder.write_bytes(TABLE, table.encode())
        labels = f"labels = {json.dumps(list(columns), ensure_ascii=False)}\n" if columns else ""
        described = f'table = "{TABLE}"\nphotos = "{PHOTOS}"\nimages = "image"\n{labels}'
        # Last: it is the sign that all is there.
        folder.write_bytes(DESCRIPTION, described.encode())
