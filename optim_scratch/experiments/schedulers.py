"""Our schedulers for whoever asks for torch's class: the same, with torch's as a second parent.

Lightning, accelerate and ignite ask whether a scheduler is torch's ``LRScheduler``; they refuse
what is none, or leave it out without a word. Skorch and transformers ask whether one is torch's
``ReduceLROnPlateau``, to know whether it needs a metric. Here every scheduler of the registry
stands under its own name as a subclass of ours and, after it, of torch's class of that name, or of
``LRScheduler`` where torch has none. Rates, arguments and saved states are those of ours.

Notes
-----
torch's ``SequentialLR`` takes them as members from torch 2.9 on. Ignite's ``LRScheduler`` reads
``get_lr`` and counts by itself, with which no composition, no plateau and no `SWALR` can live, nor
can torch's: with ignite, call `step` in a handler of ``ITERATION_COMPLETED`` or
``EPOCH_COMPLETED``, which suits every scheduler. Skorch makes a scheduler from its class; a
composition it makes from a function of `optimizer` and `last_epoch`.

Examples
--------
>>> import torch
>>> from optim_scratch.experiments.schedulers import WarmupLinearSchedule
>>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
>>> scheduler = WarmupLinearSchedule(optimizer, warmup_steps=5, t_total=100)
>>> isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
True
"""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from types import new_class
from typing import TYPE_CHECKING, Any

from torch.optim import lr_scheduler

from optim_scratch import registry
from optim_scratch import schedulers as ours


class _Accepted(ours.LRScheduler):
    """What torch and the frameworks touch beside the methods that are public."""

    def _update_lr(self, epoch: int | None = None) -> None:
        """Begin at a milestone, as torch's SequentialLR asks its members to, with the epoch 0."""
        self._begin_at_milestone()


class _AcceptedPlateau(_Accepted):
    """A plateau that takes no notice of `last_epoch`, as it goes by metrics alone.

    Skorch gives a `last_epoch` to all schedulers but torch's very own plateau.
    """

    @wraps(ours.ReduceLROnPlateau.__init__)  # type: ignore[misc]
    def __init__(self, *arguments: Any, last_epoch: int = -1, **named: Any) -> None:
        super().__init__(*arguments, **named)


def for_frameworks(kind: Any, parent: type[Any] | None = None) -> Any:
    """Return a scheduler's class with torch's as a second parent; also to decorate one's own with.

    Parameters
    ----------
    kind : class
        A subclass of `optim_scratch.schedulers.LRScheduler`.
    parent : class, optional
        The class of torch's that it is to pass for; if none is given, ``ReduceLROnPlateau`` for a
        plateau and ``LRScheduler`` for all others.

    Returns
    -------
    class
        Of the same name, module and documentation, so that it is pickled and shown like `kind`;
        a subclass of such a class is returned as it is.

    Raises
    ------
    TypeError
        If `kind` is no scheduler of this package.

    Examples
    --------
    >>> from torch.optim import lr_scheduler
    >>> from optim_scratch.schedulers.scheduler import Overwriting
    >>> @for_frameworks
    ... class Harmonic(Overwriting):
    ...     '''The base rate over the count of epochs.'''
    ...
    ...     def multiple(self, epoch):
    ...         return 1 / (1 + epoch)
    >>> Harmonic.curve(4).round(3).tolist(), issubclass(Harmonic, lr_scheduler.LRScheduler)
    ([1.0, 0.5, 0.333, 0.25], True)
    """
    if not (isinstance(kind, type) and issubclass(kind, ours.LRScheduler)):
        raise TypeError(f"kind must be a class of scheduler of optim_scratch, got {kind!r}")
    if issubclass(kind, _Accepted):
        return kind
    plateau = issubclass(kind, ours.ReduceLROnPlateau)
    parent = parent or (lr_scheduler.ReduceLROnPlateau if plateau else lr_scheduler.LRScheduler)
    namespace = {
        **{name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")},
        "transient": (*kind.transient, "_get_lr_called_within_step"),  # which ignite sets
    }
    accepted = _AcceptedPlateau if plateau else _Accepted
    return new_class(
        kind.__name__, (accepted, kind, parent), exec_body=lambda made: made.update(namespace)
    )


def _registered(method: registry.Method) -> Any:
    """Return a scheduler of the registry with its namesake in torch as a second parent."""
    module, _, name = method.torch.rpartition(".")
    accepted = for_frameworks(method.load(), getattr(import_module(module), name) if name else None)
    accepted.__module__ = __name__
    return accepted


_SCHEDULERS = {method.name: _registered(method) for method in registry.methods("scheduler")}
globals().update(_SCHEDULERS)
__all__ = ["for_frameworks"]
__all__ += list(_SCHEDULERS)

if TYPE_CHECKING:  # the names above are known when the module runs, not before

    def __getattr__(name: str) -> Any: ...
