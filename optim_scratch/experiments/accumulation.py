"""Gradient accumulation in torch: a large batch's gradient in the memory of a small one."""

from collections.abc import Callable
from typing import Any

import torch

from optim_scratch.checks import POSITIVE, Integer, type_name

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def accumulate(
    model: torch.nn.Module,
    loss: Loss,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    micro_batch: int,
) -> float:
    r"""Leave the gradient of the mean loss over a large batch, one micro-batch at a time.

    .. math:: g = \sum_j \frac{n_j}{B}\,g_j

    where :math:`g_j` is the gradient of the mean loss of micro-batch j, of :math:`n_j` of the B
    examples. Gradients from before are dropped.

    It equals the large batch's but for rounding, in a network where no example's output depends on
    the others in its batch. BatchNorm in train mode is the exception that people meet: its
    mean and variance are each micro-batch's own. Dropout draws other masks than in one pass.

    Parameters
    ----------
    model : torch.nn.Module
        From inputs to outputs.
    loss : callable
        From outputs and targets to the *mean* loss of the examples.
    inputs, targets : Tensor, examples along the first axis
        The large batch, of B examples.
    micro_batch : int, >= 1
        Examples in memory at once; the last micro-batch may be smaller.

    Returns
    -------
    float
        The mean loss over the large batch.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type, `micro_batch` is below 1, the batch is empty, inputs and
        targets differ in number, or `loss` does not return one number.

    Notes
    -----
    torch adds the gradients of micro-batches in the parameters' dtype; `training.Accumulator` adds
    them in float64.
    Source: derived in the chapter on accumulation and clipping.
    """
    micro_batch = Integer(1).check("micro_batch", micro_batch)
    size = _checked_size(model, loss, inputs, targets)
    model.zero_grad()
    total = 0.0
    for start in range(0, size, micro_batch):
        few = slice(start, start + micro_batch)
        mean = _one_number(loss(model(inputs[few]), targets[few]))
        # a mean over n_j examples counts for n_j of the B
        share = mean * (len(targets[few]) / size)
        share.backward()  # type: ignore[no-untyped-call]
        total += share.item()
    return total


def _checked_size(model: Any, loss: Any, inputs: Any, targets: Any) -> int:
    """Return B, the number of examples; refuse what no gradient can be made from."""
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model must be a module, got {type_name(model)}")
    if not callable(loss):
        raise TypeError(f"loss must be callable, got {loss!r}")
    size = _examples("targets", targets)
    if _examples("inputs", inputs) != size or not size:
        raise ValueError(
            f"inputs and targets must be as many, at least 1, got {len(inputs)} and {size}"
        )
    return size


def _one_number(mean: Any) -> torch.Tensor:
    """Return a loss, refused if it is no tensor of one number that depends on the parameters."""
    if not isinstance(mean, torch.Tensor) or mean.numel() != 1 or not mean.requires_grad:
        raise TypeError(f"loss must return a tensor of one number with a gradient, got {mean!r}")
    return mean


def _examples(name: str, batch: Any) -> int:
    """Return how many examples a batch has, along the first axis."""
    if not isinstance(batch, torch.Tensor):
        raise TypeError(f"{name} must be a tensor, got {type_name(batch)}")
    if not batch.ndim:
        raise ValueError(f"{name} must have examples along the first axis, got one number")
    return len(batch)


def accumulated_step(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    micro_batch: int,
    *,
    max_norm: float | None = None,
) -> float:
    """Take one update with a large batch, one micro-batch in memory at a time.

    Parameters
    ----------
    model, loss, inputs, targets, micro_batch
        As in `accumulate`.
    optimizer : torch.optim.Optimizer
        Moves the model's parameters.
    max_norm : float, > 0, optional
        Clip the norm of the large batch's gradient: once, before the update.

    Returns
    -------
    float
        The mean loss over the large batch, before the update.

    Raises
    ------
    TypeError, ValueError
        As `accumulate` does, or if `max_norm` is no finite number above 0.
    """
    if max_norm is not None:
        max_norm = POSITIVE.check("max_norm", max_norm)
    if isinstance(optimizer, type) or not callable(getattr(optimizer, "step", None)):
        raise TypeError(f"optimizer must have a step, got {type_name(optimizer)}")
    value = accumulate(model, loss, inputs, targets, micro_batch)
    if max_norm is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return value
