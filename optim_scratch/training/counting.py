"""How many updates a training takes."""

from __future__ import annotations

from optim_scratch.checks import FLAG, Integer


def total_updates(
    examples: int,
    batch_size: int,
    *,
    epochs: int = 1,
    accumulation: int = 1,
    drop_last: bool = False,
) -> int:
    r"""Return how many updates a training takes: the length of a schedule stepped per update.

    .. math:: \text{epochs} \cdot \lceil\, \lceil N / n \rceil \,/\, k \,\rceil

    with :math:`\lfloor N / n \rfloor` batches an epoch if `drop_last`. It counts the loop that
    updates after every k-th batch of an epoch and after the epoch's last: no gradient is carried
    from one epoch into the next, and none is thrown away.

    Parameters
    ----------
    examples : int, >= 1
        :math:`N`, in the training set.
    batch_size : int, >= 1
        :math:`n`, examples in a (micro-)batch.
    epochs : int, >= 1
        How often the training set is gone through.
    accumulation : int, >= 1
        :math:`k`, batches whose gradients make one update. The last update of an epoch takes what
        is left, if k does not divide the number of batches.
    drop_last : bool
        Whether the loader skips an epoch's last batch if it is incomplete, as torch's does under
        this name. Else it counts. The last update is never dropped.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if there is no update at all
        because `drop_last` skips the only batch.

    Notes
    -----
    Source: article 001, whose formula lacks the epochs and the rounding.

    Examples
    --------
    >>> total_updates(50_000, 128, epochs=30)
    11730
    >>> total_updates(50_000, 128, epochs=30, accumulation=4)
    2940
    """
    examples = Integer(1).check("examples", examples)
    batch_size = Integer(1).check("batch_size", batch_size)
    epochs = Integer(1).check("epochs", epochs)
    accumulation = Integer(1).check("accumulation", accumulation)
    FLAG.check("drop_last", drop_last)
    if drop_last and examples < batch_size:
        raise ValueError(
            f"examples must be at least batch_size {batch_size} with drop_last=True, got {examples}"
        )
    batches = examples // batch_size if drop_last else -(-examples // batch_size)
    return epochs * -(-batches // accumulation)
