"""Saving and loading: what a scheduler holds is data, schedulers and callables."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import ANY, plain

from .group_access import HasGroups, copied, is_data
from .kinds import Checks, Limits, PerGroup

Plan = list[tuple[Any, dict[str, Any]]]
"""Which objects get which new attributes: a state is checked whole before any of it is taken."""


class Stateful:
    """What has a `state_dict`: its attributes by name, each with what it may be.

    A subclass says in `limits` what its attributes may be, once for its constructor and for saved
    states, and names in `parts` those that hold other schedulers or callables. Every other
    attribute that is data, as a user or a framework may set one, is saved and loaded as it is.
    """

    optimizer: HasGroups

    limits: ClassVar[Limits] = {}
    """What each attribute may be; those of the parents are added."""

    parts: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold schedulers or callables, or lists of them."""

    optional: ClassVar[tuple[str, ...]] = ("_last_lr",)
    """What a state may lack, as some of torch's do: the scheduler's own then stays."""

    transient: ClassVar[tuple[str, ...]] = ("optimizer", "_is_initial", "_first_step")
    """Attributes that are not part of the saved state."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Add the parents' limits to those of a new class."""
        super().__init_subclass__(**more)
        merged: dict[str, Checks] = {}
        for parent in reversed(cls.__mro__):
            merged |= vars(parent).get("limits", {})
        cls.limits = merged

    def _take(self, **values: Any) -> None:
        """Keep arguments under their names, each checked, and all of them together."""
        checked = {name: self.limits[name].check(name, value) for name, value in values.items()}
        self._check_together({**vars(self), **checked})
        vars(self).update(checked)

    def _check_together(self, values: dict[str, Any]) -> None:
        """Refuse values that do not fit each other; a subclass says which."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed schedule needs, by torch's names, and the class's name.

        Returns
        -------
        dict
            Numbers, words, lists and dictionaries, fit for JSON and for ``torch.load``; an array of
            rates as a list. Of a callable object, its attributes that are such; of a function,
            None. What is no data, as a lock or a model, is left out.
        """
        state = {}
        for name, value in vars(self).items():
            if name in self.transient:
                continue
            if name in self.parts:
                state[name] = saved(value)
            elif name in self.limits:
                state[name] = without_arrays(value)
            elif is_data(value):
                state[name] = copied(value)
        return {**state, "scheduler": type(self).__name__}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, ours or torch's; the groups' rates are the optimizer's to load.

        Nothing changes unless everything fits, of the schedulers that this one is made of too.

        Parameters
        ----------
        state_dict : dict
            As `state_dict` returns it. Of a run that got more groups by ``add_param_group`` it may
            have fewer base rates than there are groups now: this scheduler's own then stand for
            the rest. What torch keeps for itself is ignored: names with an underscore that this
            scheduler has not, and ``"verbose"`` of earlier versions.

        Raises
        ------
        TypeError, ValueError
            If it is of another scheduler or for fewer groups than it has rates of, if an entry is
            not what the constructor would take, or if it has the attributes of a callable where
            this scheduler has a plain function.
        """
        for target, attributes in self._plan(state_dict, "state_dict"):
            target.__dict__.update(attributes)

    def _plan(self, state_dict: Any, where: str) -> Plan:
        """Return what loading a state would change, here and in all parts."""
        check_origin(self, state_dict, where)
        new = {
            name: self._completed(name, kind.check(f"{where}[{name!r}]", state_dict[name]), where)
            for name, kind in self.limits.items()
            if name in state_dict
        }
        self._check_together({**vars(self), **new})
        # a resumed run has had its first step
        plan: Plan = [(self, {**self._more(state_dict, where), **new, "_first_step": None})]
        for name in self.parts:
            plan += planned(getattr(self, name), state_dict[name], f"{where}[{name!r}]")
        return plan

    def _completed(self, name: str, value: Any, where: str) -> Any:
        """Return a value; one for each group, with this scheduler's own for groups it has not."""
        if not isinstance(self.limits[name], PerGroup):
            return value
        groups = len(self.optimizer.param_groups)
        if len(value) > groups:
            raise ValueError(
                f"{where} must have at most {groups} {name}, one per group, got {len(value)}"
            )
        return [*value, *getattr(self, name, [])[len(value) :]]

    def _more(self, state_dict: dict[str, Any], where: str) -> dict[str, Any]:
        """Return what a state has beside what the class says: what users and frameworks set."""
        known = {*self.limits, *self.parts, *self.transient, "scheduler", "verbose"}
        more = {}
        for name in state_dict.keys() - known:
            if name.startswith("_") and name not in vars(self):
                continue
            if hasattr(type(self), name):
                raise ValueError(f"{where} must hold data, got {name}, which is no attribute")
            if is_data(state_dict[name]):
                more[name] = copied(state_dict[name])
        return more

    def _twin(self, optimizer: HasGroups, memo: dict[int, Any]) -> Any:
        """Return a copy that drives another optimizer, to look ahead with."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            part = name in self.parts
            vars(other)[name] = twin(value, optimizer, memo) if part else copied(value)
        vars(other).update(optimizer=optimizer, _first_step=None)
        return other


def check_origin(scheduler: Stateful, state_dict: Any, where: str) -> None:
    """Refuse what is no state, or one of another scheduler.

    Raises
    ------
    ValueError
        Naming what the state has or lacks.
    """
    name = type(scheduler).__name__
    if not isinstance(state_dict, dict) or not all(isinstance(key, str) for key in state_dict):
        raise ValueError(f"{where} must be a dict with names for keys, got {state_dict!r}")
    tag = state_dict.get("scheduler", name)
    if tag not in [kind.__name__ for kind in type(scheduler).__mro__]:
        raise ValueError(f"{where} must be of {name}, got one of {tag}")
    own = {n for n in (*scheduler.limits, *scheduler.parts) if n in vars(scheduler)}
    if missing := sorted(own - {*state_dict, *scheduler.optional}):
        raise ValueError(f"{where} lacks {', '.join(missing)}: it is not of {name}")
    if "scheduler" in state_dict:
        return
    foreign = names_of_all() - {*scheduler.limits, *scheduler.parts, *vars(scheduler)}
    if holds := sorted(foreign & state_dict.keys()):
        raise ValueError(f"{where} holds {', '.join(holds)}: it is not of {name}")


def names_of_all() -> set[str]:
    """Return every name that a scheduler of this package keeps in its state."""
    kinds, names = [Stateful], set[str]()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__.startswith(__package__):
            names |= {*kind.limits, *kind.parts}
    return {name for name in names if not name.startswith("_")}


def without_arrays(value: Any) -> Any:
    """Return a copy of data in which arrays are lists, and numbers Python's."""
    number = plain(value)
    if isinstance(number, list):
        return [without_arrays(entry) for entry in number]
    return number.tolist() if isinstance(number, np.ndarray) else copied(number)


def saved(part: Any) -> Any:
    """Return the state of a scheduler, of a callable, or of each of a list."""
    if isinstance(part, list):
        return [saved(member) for member in part]
    return part.state_dict() if isinstance(part, Stateful) else attributes_of(part)


def attributes_of(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """Return what a callable object remembers that is data; None for a function."""
    if hasattr(function, "__code__") or not hasattr(function, "__dict__"):
        return None
    known = {name: plain(value) for name, value in vars(function).items()}
    return {name: copied(value) for name, value in known.items() if is_data(value)}


def planned(part: Any, value: Any, where: str) -> Plan:
    """Return what a saved state would change in a scheduler, a callable, or each of a list.

    Raises
    ------
    TypeError, ValueError
        If it does not fit.
    """
    if isinstance(part, Stateful):
        return part._plan(value, where)
    if not isinstance(part, list):
        return planned_callable(part, value, where)
    if not isinstance(value, list | tuple):
        raise TypeError(f"{where} must be a list, got {value!r}")
    fixed = any(isinstance(member, Stateful) for member in part)
    if len(value) > len(part) or (fixed and len(value) < len(part)):
        raise ValueError(f"{where} must have {len(part)} entries, got {len(value)}")
    pairs = enumerate(zip(part, value, strict=False))  # a late group's function is its own
    return [step for i, (p, v) in pairs for step in planned(p, v, f"{where}[{i}]")]


def planned_callable(function: Callable[..., Any] | None, value: Any, where: str) -> Plan:
    """Return what saved attributes would change in a callable object.

    Raises
    ------
    TypeError, ValueError
        If there is no such object to take them, or a number would become something else.
    """
    if value is None or value == {}:
        return []
    own = attributes_of(function)
    if own is None or not isinstance(value, dict):
        raise ValueError(
            f"{where} has {value!r}, for which there must be a callable object to take them, "
            f"or a scheduler, got {function!r}"
        )
    new = {}
    for name, entry in value.items():
        old = own.get(name)
        number = isinstance(old, int | float) and not isinstance(old, bool)
        new[name] = ANY.check(f"{where}[{name!r}]", entry) if number else copied(entry)
    return [(function, new)]


def twin(part: Any, optimizer: HasGroups, memo: dict[int, Any]) -> Any:
    """Return a part of a scheduler's twin: members anew, callables with a memory of their own."""
    if isinstance(part, list):
        return [twin(member, optimizer, memo) for member in part]
    if id(part) not in memo:
        scheduler = isinstance(part, Stateful)
        memo[id(part)] = part._twin(optimizer, memo) if scheduler else scratch(part)
    return memo[id(part)]


def scratch(function: Any) -> Any:
    """Return a callable that remembers for itself; what is no data in it, as a model, is shared."""
    attributes = attributes_of(function)
    if attributes is None:
        return function
    try:
        other = copy.copy(function)
    except TypeError:  # an object that refuses to be copied is asked itself
        return function
    vars(other).update({name: copied(value) for name, value in vars(function).items()})
    return other
