"""Which weights learn how fast."""

from __future__ import annotations

from torch import nn

from ..networks.product_network import ProductNetwork


def parameter_groups(
    network: ProductNetwork, lr: float, *, layer_decay: float = 1.0, weight_decay: float = 0.0
) -> list[dict[str, list[nn.Parameter] | float]]:
    """The parameters to train, with learning rates that fall from the heads down to the first layers.

    The stage n steps below the heads gets ``lr · layer_decayⁿ``. Biases and normalisation weights are not
    decayed.

    Arguments:
        network: the network; frozen parameters are left out.
        lr: the learning rate of the heads.
        layer_decay: by what factor a stage learns slower than the one above it, 0…1.
        weight_decay: the decay of the weights.

    Returns:
        Groups for a torch optimiser.
    """
    stages = network.backbone.stages()
    inside = {id(parameter) for stage in stages for parameter in stage}
    rates = [(stage, lr * layer_decay ** (len(stages) - number)) for number, stage in enumerate(stages)]
    rates.append(([parameter for parameter in network.parameters() if id(parameter) not in inside], lr))
    groups: list[dict[str, list[nn.Parameter] | float]] = []
    for stage, rate in rates:
        for decay, wanted in ((weight_decay, True), (0.0, False)):
            some = [p for p in stage if p.requires_grad and (p.dim() > 1) == wanted]
            if some:
                groups.append({"params": some, "lr": rate, "weight_decay": decay})
    return groups
