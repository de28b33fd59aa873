"""Memory: dtype, layout, pieces of large arrays, many runs at once; for every optimizer."""

import platform
import subprocess
import sys

import numpy as np
import pytest
from methods import cases, describe, optimizers, record, single, take

from optim_scratch import Parameter
from optim_scratch.checks import Number
from optim_scratch.optimizers import SGD, Adam, Wrapper

every = pytest.mark.parametrize(("method", "options"), cases())
elementwise = pytest.mark.parametrize(
    "method", [m for m in optimizers() if m.elementwise], ids=lambda method: method.name
)


@every
def test_the_gradient_is_never_changed(method, options, rng):
    optimizer, p = single(method, options)
    gradient = rng.normal(size=p.shape)
    before = gradient.copy()
    for _ in range(3):
        take(optimizer, p, gradient)
        assert p.grad is gradient or method.rows, "of which only the rows are given"
        assert np.array_equal(gradient, before)


@every
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_parameters_dtype_rules(method, options, dtype):
    """Over that of gradients, and of hyper-parameters that are arrays."""
    optimizer, p = single(method, options, dtype=dtype)
    for _ in range(2):
        take(optimizer, p, np.ones(p.shape, np.float64))
        assert p.data.dtype == p.grad.dtype == optimizer.point(p).dtype == dtype
    for value in optimizer.state.get(p, {}).values():
        assert not isinstance(value, np.ndarray) or value.dtype == dtype
    if method.elementwise:
        arrays = {
            name: many(value, p.shape) if is_number(method.load(), name) else value
            for name, value in options.items()
        }
        optimizer, p = single(method, arrays, dtype=dtype)
        for _ in range(2):
            take(optimizer, p, np.ones(p.shape, np.float64))
            assert p.data.dtype == optimizer.point(p).dtype == dtype


def is_number(kind, name):
    """Whether a hyper-parameter may be an array of numbers, in each of its entries."""
    if issubclass(kind, Wrapper):  # the wrapped one's may, the wrapper's own are one for all
        return name not in kind.limits and is_number(Adam if name == "betas" else SGD, name)
    kinds = kind.limits[name] if isinstance(kind.limits[name], tuple) else (kind.limits[name],)
    return all(isinstance(each, Number) for each in kinds)


def many(value, shape):
    """The same number for each entry of a parameter; of a tuple, so with each of its entries."""
    if isinstance(value, tuple):
        return tuple(many(entry, shape) for entry in value)
    return value if value is None else np.full(shape, value)


@every
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_tiles_give_the_very_same_numbers(method, options, order, monkeypatch):
    start, *gradients = (row[0] for row in record(10, [(7, 11)]))
    ends = []
    for tile in (1000, 30, 4):
        monkeypatch.setattr("optim_scratch.optimizers.tiles.TILE", tile)
        optimizer, p = single(method, options, shape=(7, 11))
        p.data[...] = start
        for gradient in gradients:
            take(optimizer, p, laid(gradient, order))
        ends.append(p.data)
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])


def laid(array, order):
    """The same numbers, in another order in memory."""
    if order == "strided":
        wide = np.zeros((array.shape[0], 2 * array.shape[1]))
        wide[:, ::2] = array
        return wide[:, ::2]
    return np.array(array, order=order)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize("rates", [False, True])
def test_a_large_parameter_costs_little_memory_beside_its_state(kind, order, rates, monkeypatch):
    """Whatever the gradient's order in memory, and with a rate for each row too."""
    import tracemalloc

    monkeypatch.setattr("optim_scratch.optimizers.tiles.TILE", 1000)
    p = Parameter(np.ones((300, 1000)))
    p.grad = np.ones((300, 1000), order=order)
    optimizer = kind([p], lr=np.full((300, 1), 0.1) if rates else 0.1)
    optimizer.step()  # the state is there now
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.05 * p.data.nbytes


FRESH = """
import resource
import numpy as np
from optim_scratch import Parameter, optimizers

p = Parameter(np.ones(100_000))
p.grad = np.ones(100_000)
optimizer = optimizers.{}([p])
for steps in (10, 50):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        optimizer.step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is about its allocator")
@pytest.mark.parametrize("name", ["Adagrad", "Adam", "Rprop"])
def test_a_fresh_process_keeps_the_memory_of_a_steps_results(name):
    """Given back and fetched anew, it would be hundreds of pages a step, and most of its time."""
    command = [sys.executable, "-c", FRESH.format(name)]
    faults = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(faults) < 50 * 10


@pytest.mark.parametrize(
    "method",
    [m for m in optimizers() if m.elementwise and describe(m.name).alike],
    ids=lambda method: method.name,
)
@pytest.mark.parametrize("index", range(3))
def test_arrays_of_hyper_parameters_are_runs_of_their_own(method, index, rng):
    """A batch of runs equals the runs one by one."""
    arrays = for_five_runs(method, index, rng)
    start, *gradients = (row[0] for row in record(30, [(5, 2)], seed=index))
    batch, together = single(method, arrays, shape=(5, 2))
    together.data[...] = start
    for gradient in gradients:
        take(batch, together, gradient)
    for at in np.ndindex(5, 2):
        one, alone = single(method, {k: chosen(v, at) for k, v in arrays.items()}, shape=())
        alone.data[...] = start[at]
        for gradient in gradients:
            take(one, alone, gradient[at])
        assert alone.data == pytest.approx(together.data[at], rel=1e-12, abs=1e-13)


@elementwise
@pytest.mark.parametrize("index", range(3))
def test_many_runs_at_once_go_on_from_what_was_saved(method, index, rng):
    arrays = for_five_runs(method, index, rng)
    rows = [row[0] for row in record(10, [(5, 2)], seed=index)]
    batch, p = single(method, arrays, shape=(5, 2))
    for gradient in rows[:5]:
        take(batch, p, gradient)
    resumed, q = single(method, arrays, shape=(5, 2))
    resumed.load_state_dict(batch.state_dict())
    q.data[...] = p.data
    for gradient in rows[5:]:
        take(batch, p, gradient)
        take(resumed, q, gradient)
    assert np.array_equal(p.data, q.data)
    assert np.array_equal(batch.point(p), resumed.point(q))


def for_five_runs(method, index, rng):
    """One of a method's settings, with each number in it different in each of five runs."""
    settings = describe(method.name).settings
    options = settings[index % len(settings)]
    arrays = {"lr": rng.uniform(0.5, 1, (5, 1)) * options.get("lr", 0.01), **options}
    for name, value in arrays.items():
        if is_number(method.load(), name):
            arrays[name] = varied(value, rng) if name != "lr" else arrays["lr"]
    return arrays


def varied(value, rng):
    """A number, or each entry of a tuple of them, different in each of five runs."""
    if isinstance(value, tuple):
        return tuple(varied(entry, rng) for entry in value)
    return value if value is None else value * rng.uniform(0.8, 1.0, (5, 1))


def chosen(value, at):
    """The hyper-parameter of one entry."""
    if isinstance(value, tuple):
        return tuple(chosen(entry, at) for entry in value)
    return float(np.broadcast_to(value, (5, 2))[at]) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
def test_only_elementwise_methods_take_arrays(method):
    if method.elementwise:
        single(method, {"lr": np.full((2, 1), 0.1)}, shape=(2, 3))
        return
    rates = np.full(describe(method.name).shapes[0], 0.1)
    with pytest.raises(ValueError, match=r"lr must be one number: .* is not elementwise"):
        single(method, {"lr": rates})


def test_infinities_and_nan_flow():
    p = Parameter([1.0, 1.0, 1.0])
    p.grad = np.array([np.inf, np.nan, 1.0])
    sgd = SGD([p], lr=1e300, momentum=0.9)
    for _ in range(3):
        sgd.step()
    assert p.data[0] == -np.inf
    assert np.isnan(p.data[1])


def test_a_gradient_that_is_another_parameters_memory_does_not_move_with_it():
    p, q = Parameter([1.0, 2.0]), Parameter([3.0, 4.0])
    p.grad, q.grad = q.data, p.data[::-1]
    SGD([p, q], lr=1.0).step()
    assert p.data.tolist() == [-2.0, -2.0]
    assert q.data.tolist() == [1.0, 3.0]


def test_a_rate_set_by_hand_is_named_when_it_is_no_number():
    p = Parameter([1.0])
    optimizer = Adam([p])
    p.grad = [1.0]
    optimizer.param_groups[0]["lr"] = "0.1"
    with pytest.raises(TypeError, match=r"lr must be a real number, got '0\.1'"):
        optimizer.step()
    assert p.data == 1.0
