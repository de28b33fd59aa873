"""What the warmup schedules of one package share: a rise, and the number of updates."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.checks import Integer

from .kinds import Limits
from .scheduler import Overwriting


class WarmupSchedule(Overwriting):
    """A schedule with `warmup_steps` of rise in a run of `t_total` updates."""

    limits: ClassVar[Limits] = {"warmup_steps": Integer(0), "t_total": Integer(1)}
    warmup_steps: int
    t_total: int

    def _check_together(self, values: dict[str, Any]) -> None:
        """Refuse a run that ends before its rise."""
        Integer(max(1, values["warmup_steps"])).check("t_total", values["t_total"])
