"""The base of every optimizer: parameters, groups, state, and the walk over them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import PYTHON, Kind, Number, as_list, type_name
from optim_scratch.parameter import Array, Parameter, RowSparse

from .loading import ENGINE_FLAGS, SCHEDULER_KEYS, read_groups, read_state
from .tiles import Hyper

Group = dict[str, Any]
State = dict[str, Any]
Parameters = Parameter | Iterable[Parameter] | Iterable[Group]


def nonzero(value: Any) -> bool:
    """Whether a hyper-parameter, a number or an array, differs from zero anywhere."""
    return bool(value.any()) if isinstance(value, np.ndarray) else value != 0


def check_rows(g: Any, group: Group) -> None:
    """Refuse weight decay, which moves all rows, beside a gradient of which only rows are given."""
    if isinstance(g, RowSparse) and nonzero(group["weight_decay"]):
        raise ValueError(
            f"weight_decay must be 0 with a row-sparse gradient, got {group['weight_decay']}: "
            "it would move all rows"
        )


def grown(state: State, name: str, theta: Array) -> Array:
    """Return an array of the state; zeros like `theta`, kept from now on, if there is none yet."""
    if state[name] is None:
        state[name] = np.zeros_like(theta)
    array: Array = state[name]
    return array


class Optimizer:
    r"""What all optimizers share; a subclass adds its constructor and its update.

    Parameters
    ----------
    params : Parameter, iterable of Parameter, or iterable of groups
        What to move. A group is a dict with the key ``"params"`` and hyper-parameters that
        overrule `defaults` for it.
    defaults : dict
        The hyper-parameters of the method, by torch's names, and their values.

    Attributes
    ----------
    param_groups : list of dict
        The groups, each with every hyper-parameter. Schedulers write into them.
    state : dict of Parameter to dict
        What the method remembers of each parameter, by torch's names.
    steps_taken : int
        How often `step` was called, by which schedulers see that one was.

    Raises
    ------
    TypeError
        If a parameter is not a `Parameter`, or a hyper-parameter not of its kind.
    ValueError
        If there is no parameter or one is given twice, if a hyper-parameter is out of range or of
        an unknown name, or if an array of them does not broadcast to the shape of each parameter.

    Notes
    -----
    A subclass says what its hyper-parameters may be in `limits`, and overrides the first of these
    that it needs:

    ===============================  =============================================================
    ``_update(theta, g, state, h)``  one parameter: a step on the array `theta`, in place, from the
                                     gradient `g`, which it must not change, with its `state`,
                                     which it may, and the hyper-parameters `h`
    ``_begin(p, h)``                 the first state of a parameter. It is also what a saved state
                                     is held against: the same names, whole numbers for whole
                                     numbers, arrays of the same shape. None stands for an array
                                     like the parameter that comes when it is needed
    ``_step_group(group)``           one group, with a memory of its own in ``group["shared"]``,
                                     whose first value is ``_begin_group(group)``
    ``step(closure)``                everything
    ===============================  =============================================================

    Where the update is elementwise, as most are, hyper-parameters may be arrays that broadcast
    against the parameter: as many runs at once. They keep their digits, as numbers do. In a
    parameter of less than float64 a number is rounded before it is multiplied and the product with
    an array after it, so that the last digit may differ.
    """

    limits: ClassVar[dict[str, Kind | tuple[Kind, ...]]] = {}
    """What each hyper-parameter may be; of one that is a tuple, what each of its entries may be."""

    squares: ClassVar[tuple[str, ...]] = ()
    """The arrays of the state that hold squares, and so are never negative."""

    fixed: ClassVar[dict[str, Any]] = {}
    """The hyper-parameters that make the class what it is, so that no group may overrule them."""

    scratch: ClassVar[tuple[str, ...]] = ()
    """What torch keeps in a parameter's state, and nothing depends on."""

    elementwise: ClassVar[bool] = True
    """Whether each entry of a parameter moves by itself."""

    needs_closure: ClassVar[bool] = False
    """Whether `step` must have a closure, because it looks at the loss or the gradient again."""

    def __init__(self, params: Parameters, defaults: Hyper) -> None:
        self.defaults = defaults
        self.state: dict[Parameter, State] = {}
        self.param_groups: list[Group] = []
        self.steps_taken = 0
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
        self._check_names(group)
        members = self._listed(group["params"])
        complete = {**self.defaults, **group, "params": members}
        self._check_members(members)
        self._check_hyper(complete)
        if memory := self._begin_group(complete):
            complete["shared"] = memory
        self.param_groups.append(complete)

    def _check_names(self, group: Group) -> None:
        """Refuse a hyper-parameter that the method has not, and name the nearest."""
        known = {"params", "name", "param_names", *self.defaults}
        for name in group:
            if name not in known | SCHEDULER_KEYS | ENGINE_FLAGS:
                near = get_close_matches(str(name), self.defaults, n=1, cutoff=0.5)
                raise ValueError(
                    f"a parameter group of {type(self).__name__} has no {name!r}: "
                    + (f"did you mean {near[0]!r}?" if near else f"it has {list(self.defaults)}")
                )

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
        known = self._parameters() + members
        if len(set(known)) < len(known):
            raise ValueError("params must not hold a parameter twice, in a group or across groups")

    def _parameters(self) -> list[Parameter]:
        """Return all parameters, group by group."""
        return [p for group in self.param_groups for p in group["params"]]

    def _check_hyper(self, group: Group) -> None:
        """Refuse hyper-parameters of a group that are not admitted, and keep plain numbers."""
        for name in self.defaults:
            group[name] = self._admitted(name, group[name], group)
        for name, value in self.fixed.items():
            if group[name] != value:
                raise ValueError(f"{name} must be {value} of {type(self).__name__}")
        self._check(group)

    def _admitted(self, name: str, value: Any, group: Group) -> Any:
        """Return a hyper-parameter of a group as plain numbers, or refuse it."""
        members = group["params"]
        checked = tuple(self._checked(*each, members) for each in self._entries(name, value))
        return checked if isinstance(self.limits[name], tuple) else checked[0]

    def _entries(self, name: str, value: Any) -> list[tuple[str, Any, Kind]]:
        """Return name, value and kind of a hyper-parameter, or of each entry of one with several.

        Raises
        ------
        TypeError, ValueError
            If the method wants a tuple and this is neither one nor a list, or has not as many.
        """
        kinds = self.limits[name]
        if not isinstance(kinds, tuple):
            return [(name, value, kinds)]
        several = isinstance(value, tuple | list)
        if not several or len(value) != len(kinds):
            error = ValueError if several else TypeError
            raise error(f"{name} must be a tuple of {len(kinds)} numbers, got {value!r}")
        return [(f"{name}[{i}]", value[i], kind) for i, kind in enumerate(kinds)]

    def _checked(self, name: str, value: Any, kind: Kind, members: list[Parameter]) -> Any:
        """Return one hyper-parameter, a number, a word or an array that broadcasts."""
        if not isinstance(kind, Number):
            return kind.check(name, value)
        checked = kind.check_array(name, value)
        if not isinstance(checked, np.ndarray):
            return checked
        if not self.elementwise:
            raise ValueError(f"{name} must be one number: {type(self).__name__} is not elementwise")
        for p in members:
            try:
                fits = np.broadcast_shapes(checked.shape, p.shape) == p.shape
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(
                    f"{name} of shape {checked.shape} does not broadcast to a parameter's {p.shape}"
                )
        return checked

    def _check(self, group: Group) -> None:
        """Refuse hyper-parameters that the method does not admit together."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients.

        Parameters
        ----------
        set_to_none : bool
            Set each gradient to None, so that `step` skips its parameter; else to zeros, where
            there is one, which is to no rows where only rows were given.
        """
        for p in self._parameters():
            if p.grad is not None:  # a parameter that never had a gradient gets none
                p.grad = None if set_to_none else _zeros(p.grad, p)

    def point(self, p: Parameter) -> Array:
        """Return where the loss is to be evaluated: the parameter, or for some methods an average.

        Parameters
        ----------
        p : Parameter
            One of the optimizer's.

        Returns
        -------
        ndarray of its shape
        """
        return p.data

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, for every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the gradients and returns the loss; called once, before the step.

        Returns
        -------
        The closure's loss, or None.

        Raises
        ------
        TypeError
            If the closure is not callable, a hyper-parameter was set to what is no number, or only
            some rows of a gradient are given and the method needs all.
        """
        loss = self._evaluated(closure)
        with np.errstate(all="ignore"):  # infinities and NaN flow, as in torch
            for group in self.param_groups:
                self._step_group(group)
        self.steps_taken += 1
        return loss

    def _evaluated(self, closure: Callable[[], Any] | None) -> Any:
        """Return the closure's loss, or None, and see to it that the gradients are fit for a step.

        None is refused, and none is another parameter's memory, which moves in the step.
        """
        if closure is not None and not callable(closure):
            raise TypeError(f"closure must be callable, got {closure!r}")
        loss = None if closure is None else closure()
        params = self._parameters()
        for group in self.param_groups:
            for p in group["params"]:
                self._check_gradient(p.grad, group)
        if len(params) > 1:
            owners = {id(_owner(p.data)) for p in params}
            for p in params:
                if p.grad is not None and id(_owner(p.grad)) in owners:
                    p.grad = p.grad.astype(p.dtype)
        return loss

    def _check_gradient(self, g: Any, group: Group) -> None:
        """Refuse a gradient that is not of the method's kind; one of which rows are given is not.

        Parameters
        ----------
        g : ndarray, RowSparse or None
            The gradient of a parameter in the group.
        group : dict
            The group, with its hyper-parameters.
        """
        if isinstance(g, RowSparse):
            raise TypeError(
                f"{type(self).__name__} takes no row-sparse gradient, SGD, Adagrad and SparseAdam "
                "do: take one of them, or set grad to its dense()"
            )

    def _step_group(self, group: Group) -> None:
        """Move the parameters of a group."""
        for p, g, state, h in self._moving(group):
            self._update(p.data, g, state, h)

    def _moving(self, group: Group) -> Iterator[tuple[Parameter, Any, State, Hyper]]:
        """Yield each parameter with a gradient: it, the gradient downhill, its state, its h."""
        hyper = self._hyper(group)
        for p in group["params"]:
            if p.grad is not None:
                if p not in self.state:
                    self.state[p] = self._begin(p, hyper)
                g = -p.grad if hyper.get("maximize") else p.grad
                yield p, g, self.state[p], hyper

    def _hyper(self, group: Group) -> Hyper:
        """Return the hyper-parameters of a group, as a step is to see them."""
        hyper = {}
        for name in self.defaults:
            value = group[name]
            hyper[name] = value if _is_plain(value) else self._admitted(name, value, group)
        return hyper

    def _begin(self, p: Parameter, h: Hyper) -> State:
        """Return the first state of a parameter; None for an array that comes when needed."""
        return {}

    def _completed(self, saved: State, first: State) -> State:
        """Return a saved state with what it may lack, from the first one."""
        return saved

    def _check_state(self, p: Parameter, state: State) -> None:
        """Refuse a saved state whose entries do not fit together."""

    def _begin_group(self, group: Group) -> State:
        """Return the first memory of a group."""
        return {}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
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
        index = {p: i for i, p in enumerate(self._parameters())}
        groups = [
            {**copy.deepcopy({k: v for k, v in group.items() if k != "params"}),
             "params": [index[p] for p in group["params"]]}
            for group in self.param_groups
        ]  # fmt: skip
        state = {}
        for p, entries in self.state.items():
            kept = {k: copy.deepcopy(v) for k, v in entries.items() if v is not None}
            if kept:
                state[index[p]] = kept
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
            If it is of another optimizer, or its groups, names, counts or shapes are not this
            one's, or a hyper-parameter is not admitted.
        """
        self._take(self._read(state_dict))

    def _read(self, state_dict: Any) -> Any:
        """Return what was saved, checked whole, for `_take`."""
        groups = read_groups(self, state_dict)
        return groups, read_state(self, groups, state_dict)

    def _take(self, read: Any) -> None:
        """Take over what `_read` returned; nothing here can fail."""
        self.param_groups, self.state = read


def _owner(array: Any) -> Any:
    """Return the object whose memory an array shows, or the values of given rows."""
    array = array.values if isinstance(array, RowSparse) else array
    return array if array.base is None else array.base


def _zeros(g: Any, p: Parameter) -> Any:
    """Return a gradient of zeros, as a gradient is given: an array, or no rows."""
    if isinstance(g, RowSparse):
        return RowSparse([], np.zeros((0, *p.shape[1:])), p.shape)
    return np.zeros_like(p.data)


_PLAIN = PYTHON | {np.ndarray}


def _is_plain(value: Any) -> bool:
    """Whether a hyper-parameter is a number or an array already, as it is if nobody set it anew."""
    kind = type(value)
    return kind in _PLAIN or (kind is tuple and all(type(entry) in _PLAIN for entry in value))
