"""What the chapter on Adagrad claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD, Adagrad, Adam, RMSprop, SparseAdam
from optim_scratch.parameter import RowSparse
from optim_scratch.problems import Digits, SparseLogistic

RARE, COMMON = slice(64, 128), slice(0, 4)


@pytest.fixture(scope="module")
def problem():
    return SparseLogistic(seed=range(20, 26))


def trained(problem, method, lr, **hyper):
    w = Parameter(np.repeat(problem.start, len(lr), axis=1))
    optimizer = method([w], lr=lr, **hyper)
    for batch in problem.batches():
        w.grad = problem.gradient(w.data, batch)
        optimizer.step()
    return w.data, optimizer.state.get(w)


def errors(problem, w, words):
    return np.sqrt(((w - problem.truth)[..., words] ** 2).mean(axis=(0, 2)))


def best(problem, w):
    return problem.loss(w, "validation").mean(axis=0).argmin()


WIDE = 2.0 ** np.arange(-4, 6, 0.5)[:, None]


def test_rare_words_need_a_higher_rate_of_sgd_and_the_same_of_adagrad(problem) -> None:
    plain, _ = trained(problem, SGD, WIDE)
    adagrad, _ = trained(problem, Adagrad, WIDE)
    wanted = {
        name: [WIDE[errors(problem, w, words).argmin(), 0] for words in (COMMON, RARE)]
        for name, w in (("SGD", plain), ("Adagrad", adagrad))
    }
    assert wanted["SGD"][1] > 1.9 * wanted["SGD"][0]
    assert 0.6 < wanted["Adagrad"][1] / wanted["Adagrad"][0] < 1.6
    for words in (COMMON, slice(4, 16), slice(16, 64), RARE):
        at_best = [errors(problem, w, words)[best(problem, w)] for w in (plain, adagrad)]
        assert at_best[1] < 0.9 * at_best[0]


def test_a_weights_rate_goes_with_one_over_the_root_of_its_frequency(problem) -> None:
    _, state = trained(problem, Adagrad, np.array([[0.7]]))
    rate = (1 / np.sqrt(state["sum"])).mean(axis=(0, 1))
    slope, _ = np.polyfit(np.log(problem.frequencies), np.log(rate), 1)
    assert slope == pytest.approx(-0.5, abs=0.05)


def by_hand(problem, own, fall):
    scale = problem.frequencies**-0.5 if own else np.ones(128)
    lr = 2.0 ** np.arange(-2, 7, 0.5)[:, None] * scale
    w = Parameter(np.repeat(problem.start, len(lr), axis=1))
    optimizer = SGD([w], lr=lr)
    for t, batch in enumerate(problem.batches()):
        optimizer.param_groups[0]["lr"] = lr * fall(t)
        w.grad = problem.gradient(w.data, batch)
        optimizer.step()
    return errors(problem, w.data[:, [best(problem, w.data)]], slice(None))[0]


def test_rates_of_their_own_help_however_the_rate_falls(problem) -> None:
    falls = {
        "stays": lambda t: 1,
        "root": lambda t: (t + 1) ** -0.5,
        "line": lambda t: 1 - t / 256,
    }
    one = {name: by_hand(problem, False, fall) for name, fall in falls.items()}
    own = {name: by_hand(problem, True, fall) for name, fall in falls.items()}
    for name in falls:
        assert own[name] < 0.95 * one[name]
    w, _ = trained(problem, Adagrad, WIDE)
    adagrad = errors(problem, w, slice(None))[best(problem, w)]
    assert adagrad == pytest.approx(own["root"], rel=0.1)
    assert adagrad < one["line"] < (adagrad + one["stays"]) / 2


def test_a_sum_that_begins_at_one_is_sgd(problem) -> None:
    rare = []
    for start in (0.0, 0.1, 1.0):
        w, _ = trained(problem, Adagrad, WIDE, initial_accumulator_value=start)
        rare.append(errors(problem, w, RARE)[best(problem, w)])
    plain, _ = trained(problem, SGD, WIDE)
    assert rare[0] < 0.85 * rare[1] < rare[2]
    assert rare[2] == pytest.approx(errors(problem, plain, RARE)[best(problem, plain)], rel=0.03)


def test_three_times_the_rate_from_a_state_tells_whether_the_sums_hold_it(problem) -> None:
    def gain(eta, burst=1):
        w = Parameter(np.repeat(problem.start, 2, axis=1))
        adagrad = Adagrad([w], lr=eta)
        for t, batch in enumerate(problem.batches(4)):
            if t == 512:
                adagrad.param_groups[0]["lr"] = eta * np.array([[1], [3]])
            w.grad = problem.gradient(w.data, batch) * (burst if t == 0 else 1)
            adagrad.step()
        stayed, longer = problem.loss(w.data, "validation").mean(axis=0)
        return stayed - longer

    assert gain(0.1) > 0.01
    assert gain(0.7) < -0.004
    assert gain(0.7, burst=100) > 0.002


@pytest.mark.parametrize("every", [1, 7, 50])
@pytest.mark.parametrize("size", [1e-3, 1.0, 40.0])
def test_turn_k_brings_a_step_of_one_over_root_k(every, size) -> None:
    w = Parameter([0.0])
    adagrad, steps = Adagrad([w], lr=0.3), []
    for t in range(1, 9 * every + 1):
        before, w.grad = w.data[0], [size * (t % every == 0)]
        adagrad.step()
        steps.append(before - w.data[0])
    assert steps[-1] == pytest.approx(0.1, rel=1e-6)
    assert np.count_nonzero(steps) == 9


@pytest.mark.parametrize("seed", range(20))
def test_the_bounds_hold_and_the_second_is_half_as_large_again(seed) -> None:
    """Losses |θ - c| with D the largest distance on the way."""
    rng = np.random.default_rng(seed)
    targets, u = rng.normal(0.3, 1, 400) * (rng.random(400) < 0.3), 0.2
    slopes = targets != 0

    def regret(rate):
        theta, lost, s, way = 0.0, 0.0, 0.0, [abs(u)]
        for c, on in zip(targets, slopes, strict=True):
            g = on * np.sign(theta - c)
            lost += on * (abs(theta - c) - abs(u - c))
            s += g * g
            theta -= rate(s) * g
            way.append(abs(theta - u))
        return lost, s, max(way)

    total = slopes.sum()
    lost, s, _ = regret(lambda _s: abs(u) / np.sqrt(total))
    assert s == total
    assert lost <= abs(u) * np.sqrt(s)
    eta = 1.0
    lost, s, way = regret(lambda s: eta / np.sqrt(s) if s else 0.0)
    assert lost <= way**2 * np.sqrt(s) / (2 * eta) + eta * np.sqrt(s)


def fewest(method, angle):
    rates = np.geomspace(1e-3, 1e3, 40)[:, None]
    losses = descend(surfaces.ravine(20, angle), method, 600, lr=rates).losses
    below = losses <= 0.01 * losses[0]
    return below.argmax(axis=0)[below.any(axis=0)].min()


def test_turning_the_ravine_takes_the_gain() -> None:
    counts = [fewest(Adagrad, angle) for angle in (0, 15, 45)]
    assert counts[0] < counts[1] < counts[2]
    assert counts[2] >= fewest(SGD, 45)


def after(method, lr, factor, forget=False):
    digits = Digits(seed=range(30, 36))
    w, found = Parameter(digits.start), []
    optimizer = method([w], lr=lr)
    for t, batch in enumerate(digits.batches(20)):
        w.grad = digits.gradient(w.data, batch) * (factor if t == 0 else 1)
        optimizer.step()
        if t == 0 and forget:
            optimizer.state[w]["sum"][:] = 0
        if t + 1 in (160, 640):
            found.append(digits.accuracy(w.data, "test").mean())
    return np.array(found)


def test_it_never_forgets_a_burst() -> None:
    plain, burst = after(Adagrad, 0.08, 1), after(Adagrad, 0.08, 100)
    emptied = after(Adagrad, 0.08, 100, forget=True)
    assert plain[0] - burst[0] > 0.03
    assert plain[1] - burst[1] > 0.008
    assert np.abs(emptied - plain).max() < 0.006
    forgetting = after(RMSprop, 0.004, 1) - after(RMSprop, 0.004, 100)
    assert forgetting[0] > 0.03
    assert forgetting[1] < 0.5 * (plain[1] - burst[1])


def test_torchs_default_is_low_for_the_digits() -> None:
    found = {}
    for lr in (0.01, 0.16):
        digits = Digits(seed=range(6))
        w = Parameter(digits.start)
        adagrad = Adagrad([w], lr=lr)
        for batch in digits.batches(5):
            w.grad = digits.gradient(w.data, batch)
            adagrad.step()
        found[lr] = digits.accuracy(w.data, "test").mean()
    assert found[0.16] > found[0.01] + 0.04


def test_without_a_gradient_adagrad_stands_still_and_adam_does_not() -> None:
    for method, moves in ((Adagrad, False), (Adam, True)):
        w = Parameter([0.0])
        optimizer = method([w], lr=0.1)
        for g in (1.0, 0.0):
            before, w.grad = w.data[0], [g]
            optimizer.step()
        assert (w.data[0] != before) == moves


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_torchs_sparse_gradient_is_the_dense_one_and_decay_is_refused(decay) -> None:
    torch = pytest.importorskip("torch")
    tables = [
        torch.nn.Embedding(5, 2, sparse=sparse, dtype=torch.float64) for sparse in (False, True)
    ]
    tables[1].load_state_dict(tables[0].state_dict())
    makers = [torch.optim.Adagrad(t.parameters(), lr=0.1, weight_decay=decay) for t in tables]
    for rows in ([0, 3], [3, 3], [1, 0]):
        for table, optimizer in zip(tables, makers, strict=True):
            optimizer.zero_grad()
            table(torch.tensor(rows)).pow(2).sum().backward()
            if decay and table.sparse:
                with pytest.raises(RuntimeError, match="not compatible with sparse"):
                    optimizer.step()
            else:
                optimizer.step()
    if not decay:
        np.testing.assert_allclose(*(t.weight.detach().numpy() for t in tables), rtol=1e-6)


def test_sparse_adam_leaves_a_row_alone_that_adam_moves_on() -> None:
    left = {}
    for method in (Adagrad, Adam, SparseAdam):
        w = Parameter(np.zeros((2, 1)))
        optimizer = method([w], lr=0.1)
        for rows in ([0, 1], [0], [0]):
            g = RowSparse(rows, np.ones((len(rows), 1)), shape=(2, 1))
            w.grad = g.dense() if method is Adam else g
            optimizer.step()
        left[method] = w.data[1, 0]
    assert left[Adagrad] == pytest.approx(-0.1)
    assert left[SparseAdam] == pytest.approx(-0.1)
    assert left[Adam] < -0.2
