"""Parameter groups: rates by layer, weight decay by shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optim_scratch.checks import FACTOR, NOT_NEGATIVE, Integer, as_list, type_name
from optim_scratch.parameter import Real

from ._members import is_parameter, parameters_in

Group = dict[str, Any]


def layer_groups(
    layers: Sequence[Any], lr: Real, decay: float = 1.0, *, frozen: int = 0, **hyper: Any
) -> list[Group]:
    r"""Return parameter groups whose rate falls from the last layer to the first.

    .. math:: \eta_l = \eta\,q^{\,n - l}, \qquad l = 1, \dots, n

    Early layers hold what is common to many tasks and need to move least.

    Parameters
    ----------
    layers : sequence
        From the first, nearest to the input, to the last; each a parameter or an iterable of them,
        ours or torch's.
    lr : float or array, >= 0
        :math:`\eta`, the last layer's rate; an array where the optimizer takes one.
    decay : float in (0, 1]
        :math:`q`, how much smaller each layer's rate is than the next one's. Howard & Ruder
        divide by 2.6.
    frozen : int, >= 0
        So many first layers get no group, and no optimizer touches them.
    **hyper
        Other hyper-parameters, the same for each group; ``params`` is none.

    Returns
    -------
    list of dict
        One group per layer that is not frozen, in order.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if no layer is left.

    Notes
    -----
    Source: Howard & Ruder (2018), section 3.2, discriminative fine-tuning.

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> layers = [Parameter([0.0]), Parameter([0.0]), Parameter([0.0])]
    >>> [group["lr"] for group in layer_groups(layers, lr=0.1, decay=0.5)]
    [0.025, 0.05, 0.1]
    """
    if is_parameter(layers) or hasattr(layers, "is_leaf"):  # its rows are no layers
        raise TypeError(f"layers must be a sequence of layers, got one {type_name(layers)}")
    listed = as_list("layers", layers, "a sequence of layers")
    rate = NOT_NEGATIVE.check_array("lr", lr)
    decay = FACTOR.check("decay", decay)
    first = Integer(0).check("frozen", frozen)
    if first >= len(listed):
        raise ValueError(f"frozen must leave one of {len(listed)} layers, got {first}")
    if "params" in hyper:
        raise TypeError("params must not be given, as those of a group are a layer's")
    members = [parameters_in(f"layers[{i}]", layer) for i, layer in enumerate(listed)]
    return [
        # η qⁿ⁻ˡ, with l = i + 1
        {**hyper, "params": members[i], "lr": rate * decay ** (len(members) - 1 - i)}
        for i in range(first, len(members))
    ]


def decay_groups(params: Any, weight_decay: Real) -> list[Group]:
    """Return groups in which matrices decay, while biases, gains and other vectors do not.

    Parameters
    ----------
    params : parameter, or iterable of them or of groups
        Ours or torch's. Each group is split in two, with all its hyper-parameters.
    weight_decay : float or array, >= 0
        For parameters of two or more axes; the others get 0. An array where the optimizer takes
        one.

    Returns
    -------
    list of dict
        Those that decay before those that do not, group by group; empty ones are left out.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if there is no parameter.

    Notes
    -----
    A shift or a gain has no scale that decay could keep in check, and few entries to overfit with.
    Source: usual practice; He et al. (2019), section 3.1, "no bias decay".

    Examples
    --------
    >>> from optim_scratch import Parameter
    >>> weight, bias = Parameter([[1.0, 2.0]]), Parameter([0.0])
    >>> [group["weight_decay"] for group in decay_groups([weight, bias], 0.01)]
    [0.01, 0.0]
    """
    strength = NOT_NEGATIVE.check_array("weight_decay", weight_decay)
    groups = []
    for group in _as_groups(params):
        matrices = [p for p in group["params"] if len(p.shape) >= 2]
        vectors = [p for p in group["params"] if len(p.shape) < 2]
        for chosen, decay in ((matrices, strength), (vectors, 0.0)):
            if chosen:
                groups.append({**group, "params": chosen, "weight_decay": decay})
    if not groups:
        raise ValueError("params must hold at least one parameter, got none")
    return groups


def _as_groups(params: Any) -> list[Group]:
    """Return groups, or the one group of parameters without any, with lists of parameters."""
    if is_parameter(params) or hasattr(params, "is_leaf"):
        return [{"params": parameters_in("params", params)}]
    entries = as_list("params", params, "a parameter, or an iterable of them or of groups")
    if not any(isinstance(entry, dict) for entry in entries):
        return [{"params": parameters_in("params", entries)}]
    for i, group in enumerate(entries):
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f'params[{i}] must be a group with the key "params", got {group!r}')
    return [
        {**group, "params": parameters_in(f"params[{i}]", group["params"])}
        for i, group in enumerate(entries)
    ]
