"""A gradient of which only some rows are given: what it is, who takes it and who refuses."""

import numpy as np
import pytest
import torch
from methods import describe, optimizers, single

from optim_scratch import Parameter, RowSparse
from optim_scratch.optimizers import EMA, SAM, SGD, SGDW, Adagrad, Adam, SparseAdam
from optim_scratch.training import Accumulator, clip_grad_norm_, clip_grad_value_

TWICE = RowSparse([3, 0, 3], [[1.0, 2.0], [5.0, -6.0], [10.0, 20.0]], (5, 2))
DENSE = np.array([[5.0, -6.0], [0, 0], [0, 0], [11.0, 22.0], [0, 0]])


def theirs(g):
    """The same of torch's."""
    rows, values = torch.tensor(g.rows)[None], torch.tensor(g.values)
    return torch.sparse_coo_tensor(rows, values, g.shape, check_invariants=True)


def test_rows_that_are_there_twice_are_added():
    once = TWICE.coalesced()
    assert once.rows.tolist() == [0, 3]
    assert once.values.tolist() == [[5.0, -6.0], [11.0, 22.0]]
    assert once.coalesced() is once
    assert np.array_equal(TWICE.dense(), DENSE)
    assert np.array_equal(once.dense(), DENSE)
    assert np.array_equal(theirs(TWICE).to_dense().numpy(), DENSE)


@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 2, 2)])
def test_coalescing_equals_torchs(shape, rng):
    rows = rng.integers(0, 7, 20)
    g = RowSparse(rows, rng.normal(size=(20, *shape[1:])), shape)
    coalesced = theirs(g).coalesce()
    assert g.coalesced().rows.tolist() == coalesced.indices()[0].tolist()
    np.testing.assert_allclose(g.coalesced().values, coalesced.values().numpy(), rtol=1e-12)


def test_the_rows_of_an_array_are_those_that_are_not_all_0():
    g = RowSparse.of(DENSE)
    assert g.rows.tolist() == [0, 3]
    assert np.array_equal(g.dense(), DENSE)
    assert RowSparse.of(np.array([0.0, np.nan, 2.0])).rows.tolist() == [1, 2]
    assert RowSparse.of(np.zeros((3, 2))).rows.tolist() == []


def test_arithmetic_is_that_of_the_whole():
    for found, expected in [
        (-TWICE, -DENSE),
        (TWICE * 0.5, DENSE * 0.5),
        (3 * TWICE, 3 * DENSE),
        (TWICE / 4, DENSE / 4),
        (TWICE + RowSparse([1], [[1.0, 1.0]], (5, 2)), DENSE + np.eye(5)[1][:, None]),
    ]:
        assert np.array_equal(found.dense(), expected)


def test_no_rows_are_a_gradient_of_zeros():
    none = RowSparse([], np.zeros((0, 2)), (5, 2))
    assert np.array_equal(none.coalesced().dense(), np.zeros((5, 2)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.5], [1.0], (3,)), TypeError, "rows must be a list of whole numbers"),
        (([[0]], [1.0], (3,)), TypeError, "rows must be a list of whole numbers"),
        (([True], [1.0], (3,)), TypeError, "rows must be a list of whole numbers"),
        (([0], ["a"], (3,)), TypeError, "values must hold floating-point numbers"),
        (([0], [1.0], ()), ValueError, "shape must have a first axis"),
        (([0], [[1.0, 2.0]], (3, 4)), ValueError, r"values must be of shape \(1, 4\), got \(1, 2"),
        (([0, 1], [1.0], (3,)), ValueError, r"values must be of shape \(2,\), got \(1,\)"),
        (([3], [1.0], (3,)), ValueError, r"rows must be in \[0, 3\), got \[3\]"),
        (([-1], [1.0], (3,)), ValueError, r"rows must be in \[0, 3\), got \[-1\]"),
    ],
    ids=str,
)
def test_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        RowSparse(*arguments)


def test_a_parameter_keeps_it_in_its_own_dtype():
    p = Parameter(np.zeros((5, 2), np.float32))
    p.grad = TWICE
    assert p.grad.dtype == np.float32
    assert p.grad.rows.tolist() == [3, 0, 3]
    q = Parameter(np.zeros((5, 2)))
    q.grad = TWICE
    assert q.grad is TWICE
    with pytest.raises(ValueError, match=r"grad must have the parameter's shape \(4, 2\), got"):
        Parameter(np.zeros((4, 2))).grad = TWICE
    q.grad = RowSparse([0, 1], q.data[:2], (5, 2))
    assert not np.shares_memory(q.grad.values, q.data), "else it would move in the step"


TAKE = {"SGD", "SGDW", "Adagrad", "SparseAdam"}


@pytest.mark.parametrize(
    "method",
    [m for m in optimizers() if not m.wraps and m.name not in TAKE],
    ids=lambda method: method.name,
)
def test_who_needs_the_whole_gradient_refuses_it_and_says_who_does_not(method):
    shape = next((s for s in describe(method.name).shapes if len(s) == 2), (4, 2))
    optimizer, p = single(method, shape=shape)
    before = repr(optimizer.state_dict())

    def closure():
        p.grad = RowSparse([1], np.ones((1, *shape[1:])), shape)
        return 1.0

    words = f"{method.name} takes no row-sparse gradient, SGD, Adagrad and SparseAdam do"
    with pytest.raises(TypeError, match=words):
        optimizer.step(closure)
    assert np.array_equal(p.data, np.ones(shape))
    assert repr(optimizer.state_dict()) == before


def test_a_refusal_comes_before_any_parameter_moves():
    p, q = Parameter([1.0]), Parameter([1.0, 1.0])
    adam = Adam([p, q])
    p.grad, q.grad = [1.0], RowSparse([0], [1.0], (2,))
    with pytest.raises(TypeError, match="Adam takes no row-sparse gradient"):
        adam.step()
    assert p.data == 1.0
    assert not adam.state


def test_wrappers_leave_it_to_what_they_wrap():
    p = Parameter(np.zeros((5, 2)))
    ema = EMA(SGD([p], lr=1.0), decay=0.5)
    p.grad = TWICE
    ema.step()
    assert np.array_equal(p.data, -DENSE)
    with pytest.raises(TypeError, match="Adam takes no row-sparse gradient"):
        EMA(Adam([p])).step()
    with pytest.raises(TypeError, match="SAM takes no row-sparse gradient"):
        SAM(SGD([p])).step(lambda: 0.0)


@pytest.mark.parametrize("kind", [SGD, Adagrad, SGDW])
def test_weight_decay_beside_it_is_refused_as_in_torch(kind):
    p = Parameter(np.zeros((5, 2)))
    optimizer = kind([p], lr=0.1, weight_decay=0.1)
    p.grad = TWICE
    with pytest.raises(ValueError, match=r"weight_decay must be 0 with a row-sparse .*got 0\.1"):
        optimizer.step()
    if kind is not SGDW:
        w = torch.nn.Parameter(torch.zeros(5, 2, dtype=torch.float64))
        w.grad = theirs(TWICE)
        with pytest.raises(RuntimeError):
            getattr(torch.optim, kind.__name__)([w], lr=0.1, weight_decay=0.1).step()


def records(steps=20, shape=(6, 3), seed=0):
    """Row-sparse gradients, some of whose rows are there twice."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        rows = rng.integers(0, shape[0] - 1, rng.integers(1, 4))
        yield RowSparse(rows, rng.normal(size=(len(rows), *shape[1:])), shape)


CASES = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "maximize": True}),
    (SGD, {"lr": 0.1, "momentum": 0.9}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    (SGD, {"lr": 0.1, "momentum": 0.5, "nesterov": True}),
    (Adagrad, {"lr": 0.1}),
    (Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "maximize": True}),
    (Adagrad, {"lr": 0.1, "eps": 0.1}),
    (SparseAdam, {"lr": 0.1}),
    (SparseAdam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.1, "maximize": True}),
]
every = pytest.mark.parametrize(("kind", "options"), CASES, ids=str)


@every
@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")  # torch's own
@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 2, 2)])
def test_equals_torch(kind, options, shape, float64):
    start = np.random.default_rng(1).normal(size=shape)
    p, w = Parameter(start), torch.nn.Parameter(torch.tensor(start))
    mine, torchs = kind([p], **options), getattr(torch.optim, kind.__name__)([w], **options)
    for g in records(shape=shape):
        p.grad, w.grad = g, theirs(g)
        before = g.values.copy()
        mine.step()
        torchs.step()
        assert np.array_equal(g.values, before), "the gradient is never changed"
        np.testing.assert_allclose(p.data, w.detach().numpy(), rtol=1e-12, atol=1e-13)


@every
def test_gradients_without_rows_and_of_the_whole_may_come_between(kind, options):
    p = Parameter(np.ones((6, 3)))
    optimizer = kind([p], **options)
    p.grad = next(records())
    optimizer.step()
    p.grad = RowSparse([], np.zeros((0, 3)), (6, 3))
    before = p.data.copy()
    optimizer.step()
    assert np.array_equal(p.data, before) or "momentum" in options
    if kind is not SparseAdam:
        p.grad = np.ones((6, 3))
        optimizer.step()
        assert (p.data != before).all()


@pytest.mark.parametrize(("kind", "options"), [c for c in CASES if c[0] is not SparseAdam], ids=str)
def test_is_the_dense_gradient_in_other_words(kind, options):
    p, q = (Parameter(np.ones((6, 3))) for _ in range(2))
    sparse, dense = kind([p], **options), kind([q], **options)
    for g in records():
        p.grad, q.grad = g, g.dense()
        sparse.step()
        dense.step()
        np.testing.assert_allclose(p.data, q.data, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("kind", [SGD, Adagrad])
def test_an_array_of_rates_has_its_rows_too(kind):
    rates = np.random.default_rng(0).uniform(0.1, 1, (6, 3))
    p, q = (Parameter(np.ones((6, 3))) for _ in range(2))
    sparse, dense = kind([p], lr=rates), kind([q], lr=rates)
    for g in records():
        p.grad, q.grad = g, g.dense()
        sparse.step()
        dense.step()
        np.testing.assert_allclose(p.data, q.data, rtol=1e-14)


@pytest.mark.parametrize("kind", [SGD, Adagrad, SparseAdam])
def test_rows_without_a_gradient_are_not_touched(kind):
    p = Parameter(np.ones((6, 3)))
    optimizer = kind([p], lr=0.1)
    for g in records():
        p.grad = g
        optimizer.step()
    assert np.array_equal(p.data[5], np.ones(3)), "the one row that no record has"
    assert (p.data[:5] != 1).all()


@pytest.mark.parametrize("kind", [SGD, Adagrad, SparseAdam])
def test_the_work_is_that_of_the_rows(kind):
    import tracemalloc

    p = Parameter(np.ones((100_000, 10)))
    optimizer = kind([p], lr=0.1)
    p.grad = RowSparse([5, 7], np.ones((2, 10)), p.shape)
    optimizer.step()  # the state is there now
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e-3 * p.data.nbytes


def test_zero_grad_leaves_no_rows():
    p = Parameter(np.zeros((5, 2), np.float32))
    sgd = SGD([p], lr=1.0)
    p.grad = TWICE
    sgd.zero_grad(set_to_none=False)
    assert p.grad.rows.tolist() == []
    assert p.grad.shape == (5, 2)
    assert p.grad.dtype == np.float32
    sgd.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("norm_type", [1.0, 2.0, np.inf])
@pytest.mark.parametrize("max_norm", [1.0, 1e6])
def test_clipping_the_norm_is_that_of_the_whole(norm_type, max_norm):
    p, q = (Parameter(np.zeros((5, 2))) for _ in range(2))
    p.grad, q.grad = TWICE, DENSE
    found, expected = (clip_grad_norm_(w, max_norm, norm_type) for w in (p, q))
    assert found == pytest.approx(expected, rel=1e-14)
    assert isinstance(p.grad, RowSparse)
    np.testing.assert_allclose(p.grad.dense(), q.grad, rtol=1e-14)
    assert TWICE.values[0, 0] == 1.0, "replaced, not written into"


def test_clipping_entries_is_that_of_the_whole():
    p = Parameter(np.zeros((5, 2)))
    p.grad = RowSparse([1, 1, 0], [[0.7, -4.0], [0.7, 3.5], [0.2, 9.0]], (5, 2))
    clip_grad_value_(p, 1.0)
    assert isinstance(p.grad, RowSparse)
    np.testing.assert_allclose(p.grad.dense()[:2], [[0.2, 1.0], [1.0, -0.5]], rtol=1e-15)


def test_accumulated_it_is_that_of_the_large_batch():
    p = Parameter(np.zeros((5, 2), np.float32))
    gradients = Accumulator(p)
    p.grad = TWICE
    gradients.add(3)
    p.grad = RowSparse([4, 0], np.ones((2, 2)), (5, 2))
    gradients.add(1)
    gradients.write()
    assert isinstance(p.grad, RowSparse)
    assert p.grad.dtype == np.float32
    expected = (3 * DENSE + np.isin(np.arange(5), [0, 4])[:, None]) / 4
    np.testing.assert_allclose(p.grad.dense(), expected, rtol=1e-6)


def test_accumulating_rows_and_the_whole_is_the_whole():
    for first, second in [(TWICE, DENSE), (DENSE, TWICE)]:
        p = Parameter(np.zeros((5, 2)))
        gradients = Accumulator(p)
        for g in (first, second):
            p.grad = g
            gradients.add(1)
        gradients.write()
        assert np.array_equal(p.grad, DENSE)
