"""The base of optimizers that wrap another one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from optim_scratch.checks import type_name
from optim_scratch.parameter import Array, Parameter

from .loading import read_entries
from .optimizer import Group, Optimizer, State


class Wrapper(Optimizer):
    """An optimizer around another one, whose groups it shares: schedulers drive both as one.

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped; another wrapper too.
    **own
        The wrapper's own hyper-parameters, of the kinds in `limits`; one value for all groups.

    Attributes
    ----------
    optimizer : Optimizer
        What is wrapped.
    own : dict
        The wrapper's own hyper-parameters.
    state : dict of Parameter to dict
        What the wrapper itself remembers of each parameter.
    shared : dict
        What it remembers once.

    Raises
    ------
    TypeError, ValueError
        If `optimizer` is none of ours, or a hyper-parameter is not admitted.

    Notes
    -----
    A subclass overrides ``_begin(p, h)`` for the memory of each parameter, ``_begin_shared()`` for
    the one memory, and ``_after_step()``, or `step` itself if one step of the wrapped optimizer is
    not enough; and `point` if the loss is to be evaluated elsewhere than at the parameter.
    """

    def __init__(self, optimizer: Optimizer, **own: Any) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"optimizer must be one of ours, made for its parameters, got "
                f"{optimizer.__name__ if isinstance(optimizer, type) else type_name(optimizer)}"
            )
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            self._refuse_arrays(group)
        self.own = self._checked_own(own)
        self.state: dict[Parameter, State] = {}
        self.shared = self._begin_shared()

    def _checked_own(self, own: dict[str, Any]) -> dict[str, Any]:
        """Return the wrapper's hyper-parameters, each one value of its kind."""
        return {
            name: kind.check(name, own[name])
            for name, kind in self.limits.items()
            if not isinstance(kind, tuple)
        }

    def _refuse_arrays(self, group: Group) -> None:
        """Refuse hyper-parameters that are arrays, if the wrapper would take many runs for one."""
        for name, value in group.items() if not self.elementwise else ():
            entries = value if isinstance(value, tuple) else (value,)
            if any(isinstance(entry, np.ndarray) for entry in entries):
                kind = type(self).__name__
                raise ValueError(f"{name} must be one number: {kind} is not elementwise")

    @property
    def param_groups(self) -> list[Group]:  # type: ignore[override]
        """The groups of the wrapped optimizer."""
        return self.optimizer.param_groups

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        """The hyper-parameters that groups of the wrapped optimizer have."""
        return self.optimizer.defaults

    @property
    def steps_taken(self) -> int:  # type: ignore[override]
        """How often the wrapped optimizer has stepped."""
        return self.optimizer.steps_taken

    @property
    def elementwise(self) -> bool:  # type: ignore[override]
        """Whether each entry of a parameter moves by itself: if it does in the wrapped one."""
        return self.optimizer.elementwise

    @property
    def needs_closure(self) -> bool:  # type: ignore[override]
        """Whether the wrapped one's step cannot do without a closure."""
        return self.optimizer.needs_closure

    def add_param_group(self, group: Group) -> None:
        """Let the wrapped optimizer move more parameters.

        Parameters
        ----------
        group : dict
            As the wrapped optimizer takes it.

        Raises
        ------
        TypeError, ValueError
            As that does.
        """
        self._refuse_arrays(group)
        self.optimizer.add_param_group(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step of the wrapped optimizer, then what the wrapper adds.

        Parameters
        ----------
        closure : callable, optional
            Computes the gradients and returns the loss.

        Returns
        -------
        The closure's loss, or None.
        """
        for p in self._parameters():
            if p not in self.state:
                self.state[p] = self._begin(p, self.own)
        loss = self.optimizer.step(closure)
        self._after_step()
        return loss

    def point(self, p: Parameter) -> Array:
        """Return where the loss is to be evaluated: where the wrapped optimizer says.

        Parameters
        ----------
        p : Parameter
            One of the optimizer's.

        Returns
        -------
        ndarray of its shape
        """
        return self.optimizer.point(p)

    def _begin_shared(self) -> State:
        """Return the first state that is not of any one parameter."""
        return {}

    def _after_step(self) -> None:
        """Do what follows a step of the wrapped optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs.

        Returns
        -------
        dict
            ``"state"``: the wrapper's own, by the parameter's index across groups. ``"shared"``,
            ``"own"``: as the attributes. ``"wrapped"``: the wrapped optimizer's `state_dict`.
            ``"optimizer"``: the class's name.
        """
        index = {p: i for i, p in enumerate(self._parameters())}
        return {
            "state": {index[p]: copy.deepcopy(entries) for p, entries in self.state.items()},
            "shared": copy.deepcopy(self.shared),
            "own": dict(self.own),
            "wrapped": self.optimizer.state_dict(),
            "optimizer": type(self).__name__,
        }

    def _read(self, state_dict: Any) -> Any:
        name = type(self).__name__
        keys = {"state", "shared", "own", "wrapped"}
        if not isinstance(state_dict, dict) or not keys <= set(state_dict):
            raise ValueError(f"state_dict must be a dict with {', '.join(sorted(keys))}, of {name}")
        if state_dict.get("optimizer", name) != name:
            raise ValueError(f"state_dict must be of {name}, got one of {state_dict['optimizer']}")
        own, saved = state_dict["own"], state_dict["state"]
        if not isinstance(own, dict) or set(own) != set(self.limits):
            raise ValueError(f"own must be a dict with {', '.join(self.limits)}, got {own!r}")
        members = self._parameters()
        if not isinstance(saved, dict) or any(i not in range(len(members)) for i in saved):
            raise ValueError(f"state must be a dict with indices of parameters, got {saved!r}")
        wrapped = self.optimizer._read(state_dict["wrapped"])
        checked = self._checked_own(own)
        shared = read_entries(self, name, self._begin_shared(), state_dict["shared"], None)
        state = {
            p: read_entries(self, f"parameter {i}", self._begin(p, checked), saved[i], p)
            for i, p in enumerate(members)
            if i in saved
        }
        return checked, shared, state, wrapped

    def _take(self, read: Any) -> None:
        self.own, self.shared, self.state, wrapped = read
        self.optimizer._take(wrapped)
