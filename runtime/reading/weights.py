"""Weights of a network: what their file declares is compared with the network before either takes memory."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.modules import module as registered
from torch.overrides import TorchFunctionMode

from .places import open_file

Network = TypeVar("Network", bound=nn.Module)

Declared = Mapping[str, tuple[torch.dtype, tuple[int, ...]]]
"""Name of a tensor to the type of its numbers and its shape."""

_REPEATED = re.compile(r"layers|blocks|folds|stacks|depths|stages")

_BESIDE = 2**20
"""Bytes that a network may take beside its weights, such as masks, if the weights take less."""

_MORE = 64

_DRAWS = (Tensor.normal_, Tensor.uniform_, nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not whole.
    """
    with _whole(path):
        return safetensors.numpy.load_file(path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of one that torch has written, which may hold nothing else.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not whole, or holds something else.
    """
    with _whole(path):
        return safetensors.torch.load_file(path) if path.suffix == ".safetensors" else _unzipped(path)


def declared(path: Path) -> Declared:
    """Names, dtypes and shapes of the tensors in a file, without reading their values.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not whole, or holds something else.
    """
    with _whole(path):
        if path.suffix != ".safetensors":
            return _forms(_unzipped(path))
        with safetensors.safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
            # The type of no numbers at all: none of them is read.
            return {
                name: (part[:0].dtype if part.get_shape() else file.get_tensor(name).dtype, tuple(part.get_shape()))
                for name, part in slices.items()
            }


def network_with_weights(
    build: Callable[[], Network], path: Path, settings: Mapping[str, object] | None = None
) -> Network:
    """A network with the weights of a file, whose sizes are those that the file declares.

    It is first built without memory, so that settings which describe a larger one than the file holds are refused
    before anything of that size is made.

    Arguments:
        build: makes the network from settings that somebody else may have written.
        path: the weights, see `read_tensors`.
        settings: plain data from which it is made: nothing in it is repeated more often than there are tensors.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is not whole, or its tensors are not those of the network.
    """
    _require_form(build, declared(path), path.stat().st_size, str(path), settings)
    network = build()
    network.load_state_dict(read_tensors(path))
    return network


def network_with_tensors(
    build: Callable[[], Network],
    tensors: Mapping[str, Tensor],
    place: str,
    settings: Mapping[str, object] | None = None,
) -> Network:
    """As `network_with_weights`, of tensors that are read already.

    Arguments:
        build: makes the network from settings that somebody else may have written.
        tensors: the weights.
        place: where they come from, for the message.
        settings: plain data from which it is made: nothing in it is repeated more often than there are tensors.

    Raises:
        ValueError: the tensors are not those of the network.
    """
    _require_form(build, _forms(tensors), sum(each.nbytes for each in tensors.values()), place, settings)
    network = build()
    network.load_state_dict(dict(tensors))
    return network


def _require_form(
    build: Callable[[], nn.Module], told: Declared, size: int, place: str, settings: Mapping[str, object] | None
) -> None:
    """Refuse a network whose tensors are not those declared, or that takes more than their bytes beside them."""
    _require_few(settings, len(told), place)
    with torch.device("meta"), _Undrawn(), _no_more_than(len(told), place):
        form = build()
    made = _forms(form.state_dict())
    for name in {**made, **told}:
        if made.get(name) != told.get(name):
            expected, got = (_in_words(sizes.get(name)) for sizes in (made, told))
            raise ValueError(f"{place}: expected {name} to be {expected}, as the network is described, got {got}")
    kept = {id(tensor) for tensor in form.state_dict(keep_vars=True).values()}
    beside = sum(each.numel() * each.element_size() for each in form.buffers() if id(each) not in kept)
    if beside > max(size, _BESIDE):
        raise ValueError(f"{place}: expected a network of the size of its weights, got {beside} bytes beside them")


def _forms(tensors: Mapping[str, Tensor]) -> Declared:
    return {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}


class _Undrawn(TorchFunctionMode):
    """Numbers of tensors without memory are not drawn: torch would import its compiler to do nothing."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWS:
            tensor: Tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        return func(*args, **kwargs)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    open_file(path).close()
    try:
        yield
    except (safetensors.SafetensorError, zipfile.BadZipFile, EOFError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: expected whole weights, got {' '.join(str(error).split())}") from None


def _unzipped(path: Path) -> dict[str, Tensor]:
    with zipfile.ZipFile(path) as packed:
        # Whoever packs zeros could have a small file take any memory.
        if any(part.compress_type != zipfile.ZIP_STORED for part in packed.infolist()):
            raise ValueError(f"{path}: expected tensors as they are, got compressed ones")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        # What the text of torch advises is to read it all the same.
        raise ValueError(f"{path}: expected tensors and nothing else ({type(error).__name__})") from None
    if not isinstance(found, dict) or not all(isinstance(each, Tensor) for each in found.values()):
        raise ValueError(f"{path}: expected tensors by their names, got a {type(found).__name__}")
    if sum(each.numel() * each.element_size() for each in found.values()) > path.stat().st_size:
        raise ValueError(f"{path}: expected tensors that the file has room for, got larger ones")
    return {str(name): each for name, each in found.items()}


def _require_few(settings: Any, most: int, place: str, key: str = "") -> None:
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            _require_few(value, most, place, str(name))
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            _require_few(value, most, place, key)
    elif _REPEATED.search(key) and isinstance(settings, (int, float)) and settings > most:
        raise ValueError(f"{place}: expected {key} to be at most its number of tensors, {most}, got {settings}")


@contextmanager
def _no_more_than(count: int, place: str) -> Iterator[None]:
    """A block in which this thread makes networks of about so many tensors at most."""
    thread = threading.get_ident()
    made: set[tuple[int, str]] = set()  # a power iteration puts its vectors into the same places again and again

    def counted(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        if threading.get_ident() != thread or tensor is None:
            return
        made.add((id(module), name))
        if len(made) > 4 * count + _MORE:
            raise ValueError(
                f"{place}: expected the {count} tensors of the network that is described, got a larger one"
            )

    hooks = [
        registered.register_module_parameter_registration_hook(counted),
        registered.register_module_buffer_registration_hook(counted),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _in_words(sizes: tuple[torch.dtype, tuple[int, ...]] | None) -> str:
    return "absent" if sizes is None else f"{str(sizes[0]).removeprefix('torch.')} {list(sizes[1])}"
