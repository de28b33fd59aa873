"""Gradient accumulation in torch: a large batch's gradient in the memory of a small one."""

from collections.abc import Callable

import torch

from optim_scratch.checks import check_factor, check_integer

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
        If `micro_batch` is no integer of at least 1, the batch is empty, or inputs and targets
        differ in number.

    Notes
    -----
    Source: derived in the chapter on accumulation and clipping.
    """
    check_integer("micro_batch", micro_batch, low=1)
    size = len(targets)
    if len(inputs) != size or not size:
        raise ValueError(
            f"inputs and targets must be as many, at least 1, got {len(inputs)} and {size}"
        )
    model.zero_grad()
    total = 0.0
    for start in range(0, size, micro_batch):
        few = slice(start, start + micro_batch)
        # a mean over n_j examples counts for n_j of the B
        share = loss(model(inputs[few]), targets[few]) * (len(targets[few]) / size)
        share.backward()  # type: ignore[no-untyped-call]
        total += share.item()
    return total


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
        check_factor("max_norm", max_norm)
    value = accumulate(model, loss, inputs, targets, micro_batch)
    if max_norm is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return value
