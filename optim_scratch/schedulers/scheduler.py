"""The base of every scheduler: it reads and writes an optimizer's groups, and nothing else."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from optim_scratch.checks import check_integer
from optim_scratch.parameter import Array


class HasGroups(Protocol):
    """All that a scheduler asks of an optimizer, ours or torch's."""

    param_groups: list[dict[str, Any]]


class LRScheduler:
    """What all schedulers share; a subclass says what the next rates are.

    A scheduler takes its first step when it is made: that sets the rates of epoch 0. Each later
    `step` sets those of the next epoch, or of the next update where it is called once an update:
    a scheduler counts its own steps and knows no other unit.

    Parameters
    ----------
    optimizer : object with `param_groups`
        One of ours or one of torch's. A rate held in a tensor is filled in place.
    last_epoch : int, >= -1
        The last epoch that is done, to resume by hand; -1 to start.

    Attributes
    ----------
    base_lrs : list of float
        The rate that each group started from.
    last_epoch : int
        The epoch whose rates the groups hold now.

    Raises
    ------
    TypeError
        If `optimizer` has no parameter groups.
    ValueError
        If `last_epoch` is below -1.
    KeyError
        If `last_epoch` is 0 or more and a group lacks ``"initial_lr"``, which a scheduler
        leaves there when it starts.
    """

    transient: ClassVar[tuple[str, ...]] = ("optimizer", "_is_initial")
    """Attributes that are not part of the saved state."""

    def __init__(self, optimizer: HasGroups, last_epoch: int = -1) -> None:
        if not hasattr(optimizer, "param_groups"):
            raise TypeError(f"optimizer must have param_groups, got {type(optimizer).__name__}")
        check_integer("last_epoch", last_epoch, low=-1)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copy.deepcopy(detached(group["lr"])))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"last_epoch={last_epoch} resumes, but group {i} of the optimizer has no "
                    f"'initial_lr': load the optimizer's state_dict first"
                )
        self.base_lrs = [detached(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[Any]:
        """Return the rate of each group for the epoch `last_epoch`, given the present ones."""
        raise NotImplementedError("a scheduler defines get_lr()")

    def get_last_lr(self) -> list[Any]:
        """Return the rate of each group, as the last step set them."""
        return self._last_lr

    def step(self) -> None:
        """Go to the next epoch: set the rate of each group.

        Raises
        ------
        ValueError
            If the optimizer got more groups and this scheduler does not know their base rates.
        """
        self.last_epoch += 1
        rates, groups = self.get_lr(), self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(
                f"optimizer must have the {len(rates)} groups that this {type(self).__name__} was "
                f"made for, got {len(groups)}: make a new scheduler after add_param_group"
            )
        for group, lr in zip(groups, rates, strict=True):
            if hasattr(group["lr"], "fill_"):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        self._last_lr = self._rates()

    def _rates(self) -> list[Any]:
        """Return the present rate of each group; a tensor's as a number."""
        return [copy.deepcopy(detached(group["lr"])) for group in self.optimizer.param_groups]

    def preview(self, steps: int) -> Array:
        """Return the rates of the next `steps` epochs, and change nothing.

        Parameters
        ----------
        steps : int, >= 1
            How many epochs, the present one included.

        Returns
        -------
        ndarray of shape (steps, groups)
            Row 0 holds the present rates. Where rates are arrays, their axes follow.

        Raises
        ------
        TypeError, ValueError
            If `steps` is not an integer of at least 1.
        """
        check_integer("steps", steps, low=1)
        twin = self._twin()
        rows = [twin._rates()]
        for _ in range(steps - 1):
            twin.step()
            rows.append(twin._rates())
        return np.array(rows)

    def _twin(self) -> Self:
        """Return a copy of this scheduler that drives a copy of the groups."""
        twin = copy.copy(self)
        groups = [
            {k: copy.deepcopy(detached(v)) for k, v in group.items() if k != "params"}
            for group in self.optimizer.param_groups
        ]
        for name, value in vars(self).items():
            if name != "optimizer":
                setattr(twin, name, copy.deepcopy(value))
        twin.optimizer = SimpleNamespace(param_groups=groups)
        return twin

    @classmethod
    def curve(cls, steps: int, *, lr: float = 1.0, **arguments: Any) -> Array:
        """Return the rates of the first `steps` epochs, to look at before there is an optimizer.

        Parameters
        ----------
        steps : int, >= 1
            How many epochs.
        lr : float
            The base rate.
        **arguments
            The scheduler's own arguments, by name.

        Returns
        -------
        ndarray of shape (steps,)

        Raises
        ------
        TypeError, ValueError
            As the scheduler's constructor and `preview` do.

        Examples
        --------
        >>> from optim_scratch.schedulers import StepLR
        >>> StepLR.curve(5, lr=0.1, step_size=2, gamma=0.5).tolist()
        [0.1, 0.1, 0.05, 0.05, 0.025]
        """
        alone = SimpleNamespace(param_groups=[{"lr": lr}])
        rates: Array = cls(alone, **arguments).preview(steps)[:, 0]
        return rates

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed schedule needs, by torch's names, and the class's name."""
        state = {k: copy.deepcopy(v) for k, v in vars(self).items() if k not in self.transient}
        return {**state, "scheduler": type(self).__name__}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, ours or torch's; the groups' rates are the optimizer's to load.

        Parameters
        ----------
        state_dict : dict
            As `state_dict` returns it. What torch keeps for itself is ignored: names with an
            underscore, and ``"verbose"`` of earlier versions.

        Raises
        ------
        ValueError
            If it is of another scheduler or for another number of groups.
        """
        name = type(self).__name__
        if state_dict.get("scheduler", name) != name:
            raise ValueError(f"state_dict must be of {name}, got one of {state_dict['scheduler']}")
        own = self.state_dict().keys() - {"scheduler"}
        if missing := sorted(own - state_dict.keys()):
            raise ValueError(f"state_dict lacks {', '.join(missing)}: it is not of {name}")
        public = {k for k in state_dict if not k.startswith("_")} - {"scheduler", "verbose"}
        if foreign := sorted(public - own):
            raise ValueError(f"state_dict holds {', '.join(foreign)}: it is not of {name}")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"state_dict must be for {len(self.base_lrs)} groups, "
                f"got {len(state_dict['base_lrs'])}"
            )
        for attribute in own - set(self.transient):
            setattr(self, attribute, copy.deepcopy(state_dict[attribute]))


class Rescaling(LRScheduler):
    """A scheduler that multiplies the present rate, so that hand edits and other schedulers last.

    A subclass defines `factor`: what this epoch multiplies the rate of the last one with.
    """

    def factor(self) -> float:
        """Return what this epoch multiplies the last one's rates with."""
        raise NotImplementedError("a rescaling scheduler defines factor()")

    def get_lr(self) -> list[Any]:
        """Return the present rates times the factor of this epoch."""
        return [lr * self.factor() for lr in self._rates()]


def detached(value: Any) -> Any:
    """Return a tensor's number or numbers, as a float or an array; anything else as it is."""
    if hasattr(value, "detach"):
        array = np.asarray(value.detach().cpu())
        return array.copy() if array.ndim else array.item()
    return value
