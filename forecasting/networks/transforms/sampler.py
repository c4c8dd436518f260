"""Draws from a flow, one after the other, and the memory that they share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .captured import CapturedInverse
from .flow import Flow, full_precision
from .level_solver import Workspace


class FlowSampler:
    """Draws from a flow for the loop of one decoder.

    Samples are those of ``flow(context).sample()``. Only memory and its slicing are kept from one to the next, nothing
    computed from the weights, so that weights may even change between them. The flow itself stays as it is: any number
    of threads may draw from it, each by a sampler of its own.

    On a GPU the time of an inverse goes into launching some ten small kernels for each level of a map that has no fused
    one (:func:`~hemline.forecasting.networks.transforms.fused.trial.may_be_fused`). So there the whole inverse is
    captured as one CUDA graph at the first sample of a number of rows (which costs about three samples) and replayed
    for the others.

    Arguments:
        flow: the flow.
        generator: of the noise, on the device of the flow; torch's own if ``None``.
        cuda_graph: whether to capture; by default where the parameters are on a GPU.

    Raises:
        ValueError: ``cuda_graph=True`` for a flow whose parameters are not on a GPU.

    >>> from hemline.forecasting.networks.transforms import masked_autoregressive
    >>> sample = FlowSampler(masked_autoregressive(features=3, context_features=5, hidden=16), torch.Generator())
    >>> paths = [sample(torch.randn(4, 5)) for _ in range(24)]
    """

    def __init__(self, flow: Flow, generator: torch.Generator | None = None, *, cuda_graph: bool | None = None) -> None:
        on_gpu = flow.conditioner.weight.is_cuda
        if cuda_graph and not on_gpu:
            raise ValueError(
                f"cuda_graph: expected a flow on a CUDA device, got one on {flow.conditioner.weight.device}"
            )
        self.flow, self.generator = flow, generator
        self._captures = on_gpu if cuda_graph is None else cuda_graph
        self._graphs: dict[object, CapturedInverse] = {}
        self._workspace = Workspace()

    @torch.no_grad()
    def __call__(self, context: Tensor) -> Tensor:
        """Draw data ``[..., D]``, one value for each context ``[..., C]``."""
        density = self.flow(context)
        with full_precision(context):
            terms = density.rows(density.batch_shape)
            z = self.flow.base.rsample(terms[0].shape[0], terms[0], self.generator)
            return self.inverse(z, terms).reshape(*density.batch_shape, self.flow.features)

    @torch.no_grad()
    def inverse(self, z: Tensor, terms: Sequence[Tensor]) -> Tensor:
        """Map rows of noise ``[N, D]`` to data ``[N, D]``, given the conditioning term of each bijection."""
        return self._captured(z, terms)(z, terms) if self._captures else self._plain(z, terms)

    def _plain(self, z: Tensor, terms: Sequence[Tensor]) -> Tensor:
        return self.flow.from_base(z, terms, self._workspace)

    def _captured(self, z: Tensor, terms: Sequence[Tensor]) -> CapturedInverse:
        key = (z.shape[0], z.dtype, z.device, torch.is_inference_mode_enabled())
        addresses = [tensor.data_ptr() for tensor in (*self.flow.parameters(), *self.flow.buffers())]
        known = self._graphs.get(key)
        if known is None or known.addresses != addresses:
            with torch.cuda.device_of(z):
                known = self._graphs[key] = CapturedInverse(self._plain, z, terms, addresses)
        return known
