"""What is L-BFGS's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
import torch
from methods import Ours, Theirs, describe, distance, record

from optim_scratch import Parameter, descend, registry, saving, surfaces
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import LBFGS
from optim_scratch.optimizers.line_search import FLAT, SUFFICIENT, Point, StrongWolfe, cubic_minimum


def quadratic(w, curvatures):
    """A closure of ½ Σ c w², that counts its calls."""

    def closure():
        closure.calls += 1
        w.grad = curvatures * w.data
        return float(w.data @ w.grad) / 2

    closure.calls = 0
    return closure


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("options", [{}, {"line_search_fn": "strong_wolfe"}], ids=str)
def test_over_20_steps_it_is_as_near_to_torchs_as_torchs_to_itself_one_rounding_away(options):
    starts, *rows = record(20)
    method = registry.find("LBFGS")
    ours, theirs = Ours(method, starts, [{}], options), Theirs(method, starts, [{}], options)
    near = Theirs(method, [start * (1 + 4e-16) for start in starts], [{}], options)
    apart, itself = [], []
    for row in rows:
        reference = theirs.step(row)
        apart.append(distance(ours.step(row), reference))
        itself.append(distance(near.step(row), reference))
    beyond = np.flatnonzero(np.array(itself) > 1e-11)
    predictable = beyond[0] if len(beyond) else len(rows)
    assert predictable >= 4
    assert max(apart[:predictable]) <= 1e-9


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("options", describe("LBFGS").settings, ids=str)
def test_20_steps_down_a_bowl_that_stays_are_torchs(options):
    starts, row = record(1)
    method = registry.find("LBFGS")
    ours, theirs = Ours(method, starts, [{}], options), Theirs(method, starts, [{}], options)
    for _ in range(20):
        assert distance(ours.step(row), theirs.step(row)) <= 1e-12
        for count in ("func_evals", "n_iter"):
            torchs = theirs.optimizer.state[theirs.parameters[0]][count]
            assert ours.optimizer.state[ours.parameters[0]][count] == torchs


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.5, -1.0), (2.0, 2.0), (0.0, 3.0)])
@pytest.mark.parametrize("most", [1, 2, 5, 20])
def test_20_steps_down_rosenbrocks_valley_are_torchs(most, start):
    options = {"line_search_fn": "strong_wolfe", "max_iter": most}
    p, q = Parameter(start), torch.nn.Parameter(torch.tensor(start))
    ours, theirs = LBFGS([p], **options), torch.optim.LBFGS([q], **options)
    rosenbrock = surfaces.rosenbrock()

    def closure():
        p.grad = rosenbrock.gradient(p.data)
        return float(rosenbrock.value(p.data))

    def torchs():
        q.grad = torch.tensor(rosenbrock.gradient(q.detach().numpy()))
        return torch.tensor(rosenbrock.value(q.detach().numpy()))

    for _ in range(20):
        ours.step(closure)
        theirs.step(torchs)
        assert distance([p.data], [q.detach().numpy()]) <= 1e-9
    assert ours.state[p]["func_evals"] == theirs.state[q]["func_evals"]
    assert ours.state[p]["n_iter"] == theirs.state[q]["n_iter"]


@pytest.mark.parametrize("n", [2, 5, 10])
def test_a_quadratic_is_solved_in_little_more_than_its_dimension(n):
    w = Parameter(np.ones(n))
    closure = quadratic(w, np.linspace(1, 20, n))
    lbfgs = LBFGS([w], line_search_fn="strong_wolfe", max_iter=4 * n + 4, tolerance_change=0)
    lbfgs.step(closure)
    assert np.abs(w.data).max() < 1e-4
    assert lbfgs.state[w]["func_evals"] == closure.calls


def exact(look, start, t):
    """Where a parabola is lowest: its slope is a line."""
    there = look(t)
    return look(t * start.slope / (start.slope - there.slope))


@pytest.mark.parametrize("n", [1, 2, 5, 10, 20])
def test_with_an_exact_search_a_quadratic_takes_one_iteration_more_than_its_dimension(n, rng):
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    matrix = basis @ np.diag(np.geomspace(1, 100, n)) @ basis.T
    w = Parameter(rng.normal(size=n))
    points = []

    def closure():
        points.append(w.data.copy())
        w.grad = matrix @ w.data
        return float(w.data @ w.grad) / 2

    lbfgs = LBFGS(
        [w], max_iter=n + 1, max_eval=1000, line_search_fn=exact, tolerance_grad=1e-9,
        tolerance_change=0,
    )  # fmt: skip
    lbfgs.step(closure)
    assert np.abs(matrix @ w.data).max() <= 1e-9
    assert lbfgs.state[w]["n_iter"] <= n + 1
    if n > 2:  # not before, so that it is the method that ends it
        assert np.abs(points[2 * (n - 2)]).max() > 1e-6


def test_a_search_of_ones_own_looks_are_counted_and_end_the_step():
    w = Parameter(np.ones(5))
    closure = quadratic(w, np.linspace(1, 100, 5))
    lbfgs = LBFGS([w], max_iter=50, max_eval=7, line_search_fn=exact)
    lbfgs.step(closure)
    assert closure.calls == lbfgs.state[w]["func_evals"] == 7


@pytest.mark.parametrize("most", [1, 4, 20])
def test_wolfes_search_given_as_a_function_is_the_named_one(most):
    def wolfe(look, start, t):
        return StrongWolfe(look, start, 1.0, 25).search(t)

    p, q = Parameter([-1.2, 1.0]), Parameter([-1.2, 1.0])
    named = LBFGS([p], max_iter=most, line_search_fn="strong_wolfe", max_eval=100)
    given = LBFGS([q], max_iter=most, line_search_fn=wolfe, max_eval=100)
    rosenbrock = surfaces.rosenbrock()
    for _ in range(5):
        for theta, lbfgs in ((p, named), (q, given)):

            def closure(theta=theta):
                theta.grad = rosenbrock.gradient(theta.data)
                return float(rosenbrock.value(theta.data))

            lbfgs.step(closure)
        assert np.array_equal(p.data, q.data)
    assert named.state[p]["func_evals"] == given.state[q]["func_evals"]


def test_goes_to_the_point_that_a_search_returns_and_not_to_the_one_that_it_saw_last():
    def first(look, start, t):
        found = look(0.25)
        look(100.0)
        return found

    w = Parameter([1.0, 2.0])
    LBFGS([w], max_iter=1, line_search_fn=first).step(quadratic(w, np.ones(2)))
    np.testing.assert_allclose(w.data, [0.75, 1.5])


def test_refuses_a_search_that_is_none_or_returns_no_point():
    w = Parameter([1.0])
    for bad in (3, "armijo", True):
        with pytest.raises(ValueError, match=r"line_search_fn must be .*'strong_wolfe', or a func"):
            LBFGS([w], line_search_fn=bad)
    lbfgs = LBFGS([w], line_search_fn=lambda look, start, t: t)
    with pytest.raises(TypeError, match=r"line_search_fn must return a Point, .* got float"):
        lbfgs.step(quadratic(w, np.ones(1)))


def test_a_function_is_saved_as_it_is_and_json_and_torch_refuse_it():
    w = Parameter(np.ones(2))
    lbfgs = LBFGS([w], line_search_fn=exact, max_iter=1)
    lbfgs.step(quadratic(w, np.array([1.0, 5.0])))
    saved = lbfgs.state_dict()
    other = LBFGS([Parameter(w.data)])
    other.load_state_dict(saved)
    assert other.param_groups[0]["line_search_fn"] is exact
    with pytest.raises(TypeError, match="state must hold numbers, arrays"):
        saving.to_json(saved)
    with pytest.raises(ValueError, match="line_search_fn must be"):
        bridge.to_torch(saved)


def test_a_step_looks_no_oftener_than_it_may():
    w = Parameter(np.ones(5))
    closure = quadratic(w, np.linspace(1, 100, 5))
    LBFGS([w], max_iter=50, max_eval=7).step(closure)
    assert closure.calls == 7


@pytest.mark.parametrize(
    # no entry moves by 1e-9, though the loss does; the loss does not, though the entry does
    ("curvature", "lr"),
    [(1e6, 1e-10), (1e-4, 1e-2)],
)
def test_a_step_ends_when_the_loss_or_every_entry_stands_still(curvature, lr):
    w = Parameter([1.0])
    closure = quadratic(w, np.array([curvature]))
    lbfgs = LBFGS([w], lr=lr)
    lbfgs.step(closure)
    assert lbfgs.state[w]["n_iter"] == 1
    assert w.data != 1.0
    lbfgs.param_groups[0].update(tolerance_change=0.0, max_iter=3)
    lbfgs.step(closure)
    assert lbfgs.state[w]["n_iter"] == 4


def test_by_default_a_quarter_more_looks_than_iterations():
    assert LBFGS([Parameter(0.0)], max_iter=8).param_groups[0]["max_eval"] == 10


def test_no_more_pairs_are_kept_than_asked_for():
    w = Parameter(np.ones(5))
    lbfgs = LBFGS([w], lr=0.01, history_size=3, max_iter=10)
    lbfgs.step(quadratic(w, np.linspace(1, 100, 5)))
    assert [len(lbfgs.state[w][name]) for name in ("old_dirs", "old_stps", "ro")] == [3, 3, 3]


def test_a_pair_without_curvature_is_not_kept():
    w = Parameter(np.ones(2))

    def line():
        w.grad = np.ones(2)
        return float(w.data.sum())

    lbfgs = LBFGS([w], lr=0.1, max_iter=5)
    lbfgs.step(line)
    assert lbfgs.state[w]["old_dirs"] == []


def test_all_parameters_are_one_vector():
    together, apart = Parameter([1.0, 2.0, 3.0]), [Parameter([1.0, 2.0]), Parameter(3.0)]
    curvatures = np.array([1.0, 4.0, 9.0])

    def closure():
        apart[0].grad, apart[1].grad = curvatures[:2] * apart[0].data, 9.0 * apart[1].data
        values = np.append(apart[0].data, apart[1].data)
        return float(curvatures @ values**2) / 2

    LBFGS([together]).step(quadratic(together, curvatures))
    LBFGS(apart).step(closure)
    np.testing.assert_allclose(np.append(apart[0].data, apart[1].data), together.data, rtol=1e-9)


def test_descends_where_a_first_order_method_crawls():
    path = descend(surfaces.rosenbrock(), LBFGS, 5, line_search_fn="strong_wolfe")
    assert path.final_loss < 1e-8


@pytest.mark.parametrize(
    ("slope", "curve"),
    [(-1.0, 1.0), (-1.0, 100.0), (-1e-3, 1e-3), (-5.0, 0.01)],
)
@pytest.mark.parametrize("first", [1e-3, 0.3, 1.0, 30.0])
def test_the_search_meets_both_conditions(slope, curve, first):
    def look(t):
        loss = slope * t + curve * t**2 / 2 + 0.01 * np.sin(3 * t) - 0.03 * t
        gradient = slope + curve * t + 0.03 * np.cos(3 * t) - 0.03
        return Point(t, loss, np.array([gradient]), gradient)

    start = look(0.0)
    search = StrongWolfe(look, start, 1.0, 25)
    end = search.search(first)
    assert end.loss <= start.loss + SUFFICIENT * end.t * start.slope
    assert abs(end.slope) <= FLAT * abs(start.slope)
    assert 1 <= search.evaluations <= 26


def test_the_cubic_is_exact_for_a_cubic():
    def point(t):
        return Point(t, t**3 / 3 - 2 * t**2 + 3 * t, np.zeros(1), t**2 - 4 * t + 3)

    # its minimum is at 3
    assert cubic_minimum(point(2.5), point(5.0)) == pytest.approx(3.0)
    assert cubic_minimum(point(5.0), point(2.5)) == pytest.approx(3.0)
    assert cubic_minimum(point(2.5), point(5.0), 4.0, 5.0) == 4.0


def test_refuses_a_second_group_no_closure_and_no_loss():
    with pytest.raises(ValueError, match="params of LBFGS must be one group"):
        LBFGS([{"params": Parameter(0.0)}, {"params": Parameter(0.0)}])
    lbfgs = LBFGS([Parameter(0.0)])
    with pytest.raises(ValueError, match="params of LBFGS must be one group"):
        lbfgs.add_param_group({"params": Parameter(0.0)})
    assert len(lbfgs.param_groups) == 1
    with pytest.raises(TypeError, match="closure must be callable, as LBFGS looks"):
        lbfgs.step()
    with pytest.raises(TypeError, match="closure must return the loss, got None"):
        lbfgs.step(lambda: None)


def test_takes_a_loss_in_a_tensor():
    w = Parameter([1.0])
    closure = quadratic(w, np.array([2.0]))
    loss = LBFGS([w]).step(lambda: torch.tensor(closure()))
    assert loss == 1.0


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"old_dirs": []}, "old_dirs and old_stps must each hold"),
        ({"old_stps": 3}, "old_stps must be a list"),
        ({"old_dirs": [np.zeros(7)] * 3}, "old_dirs and old_stps must each hold"),
        ({"ro": ["a"]}, "ro must hold real numbers"),
        ({"ro": [[1.0], [1.0], [1.0]]}, "ro must hold numbers"),
        ({"d": np.zeros(3)}, "d must have its parameter's shape"),
    ],
)
def test_refuses_a_history_that_does_not_fit_together(edit, message):
    w = Parameter(np.ones(2))
    lbfgs = LBFGS([w], lr=0.1, max_iter=4)
    lbfgs.step(quadratic(w, np.array([1.0, 5.0])))
    saved = lbfgs.state_dict()
    assert len(saved["state"][0]["ro"]) == 3
    saved["state"][0] |= edit
    before = repr(lbfgs.state_dict())
    with pytest.raises(ValueError, match=message):
        lbfgs.load_state_dict(saved)
    assert repr(lbfgs.state_dict()) == before


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_rate_of_0_as_a_warmup_begins_with_is_no_step(search):
    w = Parameter(np.ones(2))
    lbfgs = LBFGS([w], lr=0.0, line_search_fn=search)
    for _ in range(2):
        lbfgs.step(quadratic(w, np.array([1.0, 5.0])))
        assert np.array_equal(w.data, np.ones(2))
    lbfgs.param_groups[0]["lr"] = 0.1
    lbfgs.step(quadratic(w, np.array([1.0, 5.0])))
    assert np.abs(w.data).max() < 0.7


def test_loads_the_state_of_torchs_that_began_at_the_minimum():
    q, w = torch.nn.Parameter(torch.zeros(2)), Parameter(np.ones(2))
    theirs, lbfgs = torch.optim.LBFGS([q]), LBFGS([w])

    def closure():
        q.grad = torch.zeros(2)
        return torch.tensor(0.0)

    theirs.step(closure)
    lbfgs.load_state_dict(theirs.state_dict())
    assert lbfgs.state[w]["func_evals"] == 1
    lbfgs.step(quadratic(w, np.ones(2)))
    assert np.abs(w.data).max() < 1e-6


def test_a_history_that_is_loaded_takes_the_parameters_dtype():
    w, v = Parameter(np.ones(2)), Parameter(np.ones(2, np.float32))
    lbfgs, other = LBFGS([w], lr=0.1, max_iter=4), LBFGS([v])
    lbfgs.step(quadratic(w, np.array([1.0, 5.0])))
    other.load_state_dict(lbfgs.state_dict())
    state = other.state[v]
    vectors = [*state["old_dirs"], *state["old_stps"], state["d"], state["prev_flat_grad"]]
    assert [vector.dtype for vector in vectors] == [np.float32] * 8


def test_a_loss_of_nothing_but_nan_ends_where_torchs_does():
    p, q = Parameter([1.0]), torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    ours = LBFGS([p], line_search_fn="strong_wolfe")
    theirs = torch.optim.LBFGS([q], line_search_fn="strong_wolfe")

    def closure():
        """Finite at the start alone."""
        p.grad = np.where(p.data == 1.0, 1.0, np.nan)
        return float(np.where(p.data == 1.0, 1.0, np.nan)[0])

    def torchs():
        q.grad = torch.where(q == 1.0, 1.0, torch.nan).double().detach()
        return torch.where(q == 1.0, 1.0, torch.nan).double().detach().sum()

    ours.step(closure)
    theirs.step(torchs)
    np.testing.assert_array_equal(p.data, q.detach().numpy())
    assert ours.state[p]["func_evals"] == theirs.state[q]["func_evals"]
