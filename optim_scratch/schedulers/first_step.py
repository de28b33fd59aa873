"""Whether an optimizer has stepped: a scheduler that steps before it skips its first rate."""

from __future__ import annotations

from typing import Any

from .group_access import HasGroups

WARNING = (
    "scheduler.step() came before any optimizer.step(), so that the first rate of the schedule is "
    "skipped: call optimizer.step() first"
)


class FirstStep:
    """Sees the first step of an optimizer, ours or torch's; any other is taken to have stepped.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours counts its steps itself; torch's is asked to call back.
    """

    def __init__(self, optimizer: HasGroups) -> None:
        self._optimizer = optimizer
        self._came = False
        register = getattr(optimizer, "register_step_post_hook", None)
        self._counts = hasattr(optimizer, "steps_taken")
        self._hook = register(self._note) if register and not self._counts else None

    def _note(self, *_: Any) -> None:
        self._came = True

    def came(self) -> bool:
        """Return whether the optimizer has stepped, torch's since this object was made."""
        if self._counts:
            return bool(getattr(self._optimizer, "steps_taken", 0))
        return self._came or self._hook is None

    def forget(self) -> None:
        """Let go of the optimizer; torch fails if a hook removes itself while it is called."""
        if self._hook is not None:
            self._hook.remove()

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Become None in a copy, whose optimizer does not call back."""
        return type(None), ()
