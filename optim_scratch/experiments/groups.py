"""Parameter groups of a torch network: rates by layer, weight decay by shape, frozen layers."""

from collections.abc import Iterable
from typing import Any

import torch

from optim_scratch.checks import NOT_NEGATIVE, as_list, type_name
from optim_scratch.training import decay_groups, layer_groups


def module_groups(
    layers: Iterable[torch.nn.Module],
    lr: float,
    decay: float = 1.0,
    *,
    weight_decay: float = 0.0,
    frozen: int = 0,
) -> list[dict[str, Any]]:
    r"""Return the groups that fine-tuning a network needs, for any torch optimizer.

    Layer l of n gets the rate :math:`\eta\,q^{\,n-l}`; its matrices and kernels decay, its
    vectors do not. Frozen layers, and parameters that need no gradient already, get no group.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        From the input to the output; each parameter in one of them. Those without parameters do not
        count as layers.
    lr : float, >= 0
        :math:`\eta`, the last layer's rate.
    decay : float in (0, 1]
        :math:`q`, how much smaller each layer's rate is than the next one's.
    weight_decay : float, >= 0
        For parameters of two or more axes.
    frozen : int, >= 0
        So many first layers are frozen: their parameters get ``requires_grad=False`` and no
        gradient. A BatchNorm in them still changes its running means in train mode.

    Returns
    -------
    list of dict
        At most two groups per layer, in order.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if a parameter is in two layers, or
        if nothing is left to train.
        Nothing is frozen then.

    Notes
    -----
    Source: Howard & Ruder (2018), section 3.2; `optim_scratch.training.layer_groups` and
    `decay_groups`.
    """
    if isinstance(layers, torch.Tensor):  # of one number, it passes for an iterable
        raise TypeError("layers must be an iterable of modules, got a tensor")
    layers = as_list("layers", layers, "an iterable of modules")
    lr = NOT_NEGATIVE.check("lr", lr)  # torch's groups have one rate each
    weight_decay = NOT_NEGATIVE.check("weight_decay", weight_decay)
    for layer in layers:
        if not isinstance(layer, torch.nn.Module):
            raise TypeError(f"layers must hold modules, got {type_name(layer)}")
    full = [list(layer.parameters()) for layer in layers]
    full = [parameters for parameters in full if parameters]
    every = [p for parameters in full for p in parameters]
    if len(set(every)) < len(every):
        raise ValueError("layers must hold each parameter once, got one in two layers")
    groups = layer_groups(full, lr, decay, frozen=frozen)
    if not any(p.requires_grad for group in groups for p in group["params"]):
        raise ValueError("layers must hold a parameter that needs a gradient, got none")
    for parameters in full[:frozen]:
        for p in parameters:
            p.requires_grad_(False)
            p.grad = None
    for group in groups:
        group["params"] = [p for p in group["params"] if p.requires_grad]
    return decay_groups(groups, weight_decay)
