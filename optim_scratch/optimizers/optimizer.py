"""The base of every optimizer: parameters, groups, state, and the walk over them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import as_list, check_flag, check_number, type_name
from optim_scratch.parameter import Array, Parameter

from .loading import read_groups, read_state

Hyper = dict[str, Any]
Group = dict[str, Any]
Parameters = Parameter | Iterable[Parameter] | Iterable[Group]

# Elements that an update touches at once: small enough that the few arrays it reads and writes
# stay in a core's second-level cache, large enough that NumPy's cost per call does not count.
TILE = 131_072


def plain(value: Any) -> Any:
    """Return a number that NumPy or torch holds as Python's, which takes the parameter's dtype."""
    if isinstance(value, tuple):
        return tuple(plain(entry) for entry in value)
    return value.item() if hasattr(value, "item") and not value.ndim else value


def nonzero(value: Any) -> bool:
    """Whether a hyper-parameter, a number or an array, differs from zero anywhere."""
    return bool(value.any()) if isinstance(value, np.ndarray) else value != 0


class Optimizer:
    """What all optimizers share; a subclass adds its constructor and its update.

    Parameters
    ----------
    params : Parameter, iterable of Parameter, or iterable of groups
        What to move. A group is a dict with the key ``"params"`` and hyper-parameters that
        overrule `defaults` for it.
    defaults : dict
        The hyper-parameters of the method, by torch's names, and their values; ``"lr"`` and
        ``"maximize"`` are among them.

    Attributes
    ----------
    param_groups : list of dict
        The groups, each with every hyper-parameter. Schedulers write into them.
    state : dict of Parameter to dict
        What the method remembers of each parameter, by torch's names.

    Raises
    ------
    TypeError
        If a parameter is not a `Parameter`, or a hyper-parameter not a number.
    ValueError
        If there is no parameter or one is given twice, if a hyper-parameter is out of range, or
        if an array of them does not broadcast to the shape of each parameter.

    Notes
    -----
    A subclass defines ``_update(theta, g, state, h)``: one step on the arrays `theta`, in place,
    from the gradient `g`, which it must not change. Where the update is elementwise, as most are,
    hyper-parameters may be arrays that broadcast against the parameter, and a large parameter is
    updated tile by tile.
    """

    tuples: ClassVar[dict[str, int]] = {}
    """The hyper-parameters that are tuples, as Adam's betas are, and how many entries each has."""

    state_names: ClassVar[tuple[str, ...]] = ()
    """The arrays, by torch's names, that the method keeps for a parameter."""

    count_names: ClassVar[tuple[str, ...]] = ()
    """The whole numbers that it keeps, such as ``"step"``."""

    required_names: ClassVar[tuple[str, ...]] = ()
    """Those of both that a parameter's state has from its first step on."""

    elementwise: ClassVar[bool] = True
    """Whether each entry of a parameter moves by itself."""

    def __init__(self, params: Parameters, defaults: Hyper) -> None:
        self.defaults = defaults
        self.state: dict[Parameter, dict[str, Any]] = {}
        self.param_groups: list[Group] = []
        entries = self._listed(params)
        if not entries:
            raise ValueError("params must hold at least one parameter, got none")
        grouped = isinstance(entries[0], dict)
        for group in entries if grouped else [{"params": entries}]:
            self.add_param_group(group)

    def add_param_group(self, group: Group) -> None:
        """Let the optimizer move more parameters, with hyper-parameters of their own.

        Parameters
        ----------
        group : dict
            ``"params"``, a Parameter or an iterable of them, and any hyper-parameters; those
            left out take the optimizer's defaults.

        Raises
        ------
        TypeError, ValueError
            As the constructor does.
        """
        if not isinstance(group, dict):
            raise TypeError(f"a parameter group must be a dict, got {type(group).__name__}")
        if "params" not in group:
            raise ValueError(f'a parameter group must have the key "params", got {group!r}')
        members = self._listed(group["params"])
        complete = {**self.defaults, **group, "params": members}
        self._check_members(members)
        self._check_hyper(complete)
        self.param_groups.append(complete)

    @staticmethod
    def _listed(params: Any) -> list[Any]:
        if isinstance(params, Parameter):
            return [params]
        return as_list("params", params, "a Parameter, or an iterable of them or of groups")

    def _check_members(self, members: list[Parameter]) -> None:
        if not members:
            raise ValueError("params must hold at least one parameter, got an empty group")
        for p in members:
            if not isinstance(p, Parameter):
                raise TypeError(f"params must hold our Parameter objects, got {type_name(p)}")
        known = [p for group in self.param_groups for p in group["params"]] + members
        if len(set(known)) < len(known):
            raise ValueError("params must not hold a parameter twice, in a group or across groups")

    def _check_hyper(self, group: Group) -> None:
        check_number("lr", group["lr"], low=0)
        check_flag("maximize", group["maximize"])
        for name in self.defaults:
            copies = [
                self._copied(*each, group["params"]) for each in self.entries(name, group[name])
            ]
            group[name] = plain(tuple(copies)) if name in self.tuples else copies[0]
        self._check(group)

    @classmethod
    def entries(cls, name: str, value: Any) -> list[tuple[str, Any]]:
        """Return a hyper-parameter's name and value; of a tuple, those of each entry.

        Parameters
        ----------
        name : str
            Such as ``"lr"`` or ``"betas"``.
        value : Any
            Its value.

        Returns
        -------
        list of (str, Any)
            Such as ``[("betas[0]", 0.9), ("betas[1]", 0.999)]``.

        Raises
        ------
        TypeError
            If the method wants a tuple and this is neither one nor a list.
        ValueError
            If it has not as many entries as the method wants.
        """
        if name not in cls.tuples:
            return [(name, value)]
        count = cls.tuples[name]
        if not isinstance(value, tuple | list):
            raise TypeError(f"{name} must be a tuple of {count} numbers, got {value!r}")
        if len(value) != count:
            raise ValueError(f"{name} must be a tuple of {count} numbers, got {value!r}")
        return [(f"{name}[{i}]", entry) for i, entry in enumerate(value)]

    def _copied(self, name: str, value: Any, members: list[Parameter]) -> Any:
        return self._check_array(name, np.array(value), members) if np.ndim(value) else value

    def _check_array(self, name: str, values: Array, members: list[Parameter]) -> Array:
        if not self.elementwise:
            raise ValueError(f"{name} must be one number: {type(self).__name__} is not elementwise")
        for p in members:
            try:
                fits = np.broadcast_shapes(values.shape, p.shape) == p.shape
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(
                    f"{name} of shape {values.shape} does not broadcast to a parameter's {p.shape}"
                )
        return values

    def _check(self, group: Group) -> None:
        """Refuse hyper-parameters that the method does not admit."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients.

        Parameters
        ----------
        set_to_none : bool
            Set each gradient to None, so that `step` skips its parameter; else to zeros, where
            there is one.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:  # a parameter that never had a gradient gets none
                    p.grad = None if set_to_none else np.zeros_like(p.data)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, for every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the gradients and returns the loss; called once, before the step.

        Returns
        -------
        The closure's loss, or None.
        """
        loss = None if closure is None else closure()
        with np.errstate(all="ignore"):  # infinities and NaN flow, as in torch
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._move(p, group)
        return loss

    def _move(self, p: Parameter, group: Group) -> None:
        h = {name: plain(group[name]) for name in self.defaults}
        arrays = [name for name, value in h.items() if isinstance(value, np.ndarray)]
        for name in arrays:
            h[name] = h[name].astype(p.data.dtype, copy=False)
        g: Any = -p.grad if h["maximize"] else p.grad  # type: ignore[operator]
        state = self.state.get(p, {})
        self._prepare(p, state, h)
        if state:
            self.state[p] = state
        many = arrays or any(np.ndim(entry) for name in self.tuples for entry in h[name])
        if self.elementwise and not many and p.data.size > TILE:
            self._update_tiles(p.data, g, state, h)
        else:
            self._update(p.data, g, state, h)

    def _update_tiles(self, theta: Array, g: Array, state: dict[str, Any], h: Hyper) -> None:
        """Update cache-sized pieces one after the other: the same numbers at memory speed."""
        keep = [name for name in self.state_names if state.get(name) is not None]
        whole = [theta, g, *(state[name] for name in keep)]
        if not all(a.flags.c_contiguous for a in whole):
            return self._update(theta, g, state, h)
        flat = [a.reshape(-1) for a in whole]
        for start in range(0, theta.size, TILE):
            t, d, *memory = (a[start : start + TILE] for a in flat)
            self._update(t, d, {**state, **dict(zip(keep, memory, strict=True))}, h)
        return None

    def _prepare(self, p: Parameter, state: dict[str, Any], h: Hyper) -> None:
        """Make the state of a parameter's first step, and advance what changes once a step."""

    def _update(self, theta: Array, g: Array, state: dict[str, Any], h: Hyper) -> None:
        raise NotImplementedError("an optimizer defines _update(theta, g, state, h)")

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs, in torch's layout.

        Returns
        -------
        dict
            ``"state"``: the state of each parameter, by its index across groups, for those that
            have one. ``"param_groups"``: the groups, with indices in place of parameters.
            ``"optimizer"``: the class's name, which torch does not save. Arrays are copies.
        """
        groups: list[Group] = []
        index: dict[Parameter, int] = {}
        for group in self.param_groups:
            for p in group["params"]:
                index[p] = len(index)
            hyper = {k: copy.deepcopy(v) for k, v in group.items() if k != "params"}
            groups.append({**hyper, "params": [index[p] for p in group["params"]]})
        state = {index[p]: copy.deepcopy(s) for p, s in self.state.items()}
        return {"state": state, "param_groups": groups, "optimizer": type(self).__name__}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, ours or the `state_dict` of torch's optimizer.

        Nothing changes unless everything fits.

        Parameters
        ----------
        state_dict : dict
            As `state_dict` returns it. torch's may hold tensors and the flags of its engine.

        Raises
        ------
        TypeError, ValueError
            If it is of another optimizer, or its groups, counts or shapes are not this one's, or a
            hyper-parameter is not admitted.
        """
        groups = read_groups(self, state_dict)
        for group in groups:
            self._check_hyper(group)
        state = read_state(self, state_dict)
        self.param_groups, self.state = groups, state
