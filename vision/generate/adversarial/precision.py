"""The numbers that a training of images calculates with on this machine."""

from __future__ import annotations

from typing import Literal

from ....runtime.devices import Precision, has_fast_bfloat16, torch_device


def precision_here(precision: Literal["auto"] | Precision, device: str) -> Precision:
    """Lightning's precision: ``"auto"`` is ``"bf16-mixed"`` where the device is fast in it, and else ``"32-true"``.

    Arguments:
        precision: as asked for.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
    """
    if precision != "auto":
        return precision
    return "bf16-mixed" if torch_device(device) == "cuda" or has_fast_bfloat16() else "32-true"
