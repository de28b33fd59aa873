"""Projections: the nearest point, once and for all; and optimizers that are held by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import EMA, SGD, Adam, Muon
from optim_scratch.projection import Ball, Box, Projected
from optim_scratch.schedulers import StepLR

SETS = {
    "box": Box([-1.0, 0.0, -np.inf], [1.0, 0.5, 2.0]),
    "ball": Ball(1.5),
    "ball elsewhere": Ball(0.5, [1.0, 2.0, 3.0]),
}
points = st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(np.array)


@pytest.mark.parametrize("name", SETS)
@given(point=points, other=points)
def test_the_nearest_point_of_the_set(name, point, other):
    """No other point of the set is nearer, and the angle towards each of them is obtuse."""
    onto = SETS[name]
    nearest, member = onto.project(point), onto.project(other)
    assert np.linalg.norm(point - nearest) <= np.linalg.norm(point - member) + 1e-9
    assert (point - nearest) @ (member - nearest) <= 1e-9


@pytest.mark.parametrize("name", SETS)
@given(point=points)
def test_twice_is_once(name, point):
    once = SETS[name].project(point)
    np.testing.assert_allclose(SETS[name].project(once), once, rtol=1e-12, atol=1e-12)


def test_a_point_inside_is_not_touched():
    inside = np.array([0.1, 0.2, 0.3])
    assert np.array_equal(SETS["box"].project(inside), inside)
    assert np.array_equal(Ball(1.0).project(inside), inside)
    assert np.array_equal(Ball(1.0).project(np.zeros(3)), np.zeros(3)), "not even the centre"


def test_rows_are_points_of_their_own():
    rows = np.array([[3.0, 4.0], [0.3, 0.4]])
    np.testing.assert_allclose(Ball(1.0, axis=-1).project(rows), [[0.6, 0.8], [0.3, 0.4]])
    assert np.linalg.norm(Ball(1.0).project(rows)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Box(1.0, -1.0), ValueError, "low must be <= high"),
        (lambda: Box(np.nan, 1.0), ValueError, "low must be <= high"),
        (lambda: Box("a", 1.0), TypeError, "low must hold floating-point numbers"),
        (lambda: Ball(0.0), ValueError, "radius must be finite and > 0"),
        (lambda: Ball("1"), TypeError, "radius must be a real number"),
        (lambda: Ball(1.0, "a"), TypeError, "centre must hold floating-point numbers"),
        (lambda: Ball(1.0, [0.0, np.nan]), ValueError, "centre must be finite"),
        (lambda: Ball(1.0, axis=0.5), TypeError, "axis must be an integer or None"),
        (lambda: Projected(SGD([Parameter(1.0)]), 3), TypeError, "onto must be a set"),
        (lambda: Projected(SGD([Parameter(1.0)]), Box), TypeError, "onto must be a set"),
        (lambda: Projected(SGD, Box(-1, 1)), TypeError, "optimizer must be one of ours"),
    ],
)
def test_what_is_no_set_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    "onto",
    [
        Box(np.zeros(3), 1.0),
        Box(np.zeros((3, 1)), np.ones((3, 1))),  # of a (2,) it would make a (3, 2)
        Ball(1.0, np.zeros(3)),
        Ball(1.0, axis=5),
    ],
)
def test_a_set_of_another_shape_is_refused_at_once(onto):
    with pytest.raises(ValueError, match=r"onto must project a parameter's shape, \(2,\)"):
        Projected(SGD([Parameter([0.0, 0.0])]), onto)


def test_a_group_of_another_shape_is_refused_and_nothing_added():
    w = Parameter(np.zeros(3))
    held = Projected(SGD([w]), Box(np.zeros(3), np.ones(3)))
    with pytest.raises(ValueError, match=r"onto must project a parameter's shape, \(2,\)"):
        held.add_param_group({"params": (Parameter(np.zeros(n)) for n in (3, 2))})
    assert len(held.param_groups) == 1
    held.add_param_group({"params": (Parameter(np.zeros(n)) for n in (3, 3))})
    assert len(held.param_groups[1]["params"]) == 2
    with pytest.raises(TypeError, match="a parameter group must be a dict"):
        held.add_param_group([w])


@pytest.mark.parametrize("onto", [Box(-1.0, 1.0), Ball(1.0)])
@pytest.mark.parametrize("gradient", [np.inf, np.nan])
def test_infinities_and_nan_flow_without_a_warning(onto, gradient):
    w = Parameter([0.0, 0.0])
    held = Projected(SGD([w], lr=1.0), onto)
    w.grad = [gradient, 0.5]
    held.step()
    assert not (w.data[0] > -1.0), "at the edge, or not a number"


def test_an_average_goes_outside():
    """Around points of the set it stays there; within, it is of points before they are put back."""
    w, v = Parameter([0.0]), Parameter([0.0])
    outside = EMA(Projected(SGD([w], lr=1.0), Box(-1, 1)), decay=0.5)
    within = Projected(EMA(SGD([v], lr=1.0), decay=0.5), Box(-1, 1))
    for _ in range(3):
        w.grad = v.grad = [-5.0]
        outside.step()
        within.step()
    assert outside.point(w) == 1.0
    assert within.point(v) > 1.0, "the loss is still evaluated where the wrapped one says"


def test_an_optimizer_stays_in_the_set():
    ravine = surfaces.ravine(20)
    path = descend(ravine, lambda p: Projected(Adam(p, lr=0.5), Box(-2.0, 0.7)), 50)
    assert (path.points[1:] >= -2.0).all()
    assert (path.points[1:] <= 0.7).all()


def test_against_a_wall_it_slides():
    """On a bowl around (3, 0), held within x ≤ 1, gradient descent ends at the nearest point."""
    w = Parameter([0.0, 2.0])
    held = Projected(SGD([w], lr=0.2), Box([-np.inf, -np.inf], [1.0, np.inf]))
    for _ in range(100):
        w.grad = w.data - [3.0, 0.0]
        held.step()
    np.testing.assert_allclose(w.data, [1.0, 0.0], atol=1e-9)


def test_many_runs_at_once_are_the_runs_one_by_one():
    rates = np.array([[0.02], [0.05], [0.1]])
    for onto in (Box(-1.0, 1.0), Ball(1.0, axis=-1)):
        many = descend(
            surfaces.ravine(20), lambda p, s=onto: Projected(SGD(p, lr=rates), s), 20,
            start=np.full((3, 2), -2.0),
        )  # fmt: skip
        for i, rate in enumerate(rates[:, 0].tolist()):
            one = descend(
                surfaces.ravine(20), lambda p, s=onto, lr=rate: Projected(SGD(p, lr=lr), s), 20,
                start=[-2.0, -2.0],
            )  # fmt: skip
            np.testing.assert_allclose(many.points[:, i], one.points, rtol=1e-13)


def test_many_runs_are_no_one_point():
    rates = np.array([[0.1], [0.2]])
    with pytest.raises(ValueError, match="lr must be one number: Projected is not elementwise"):
        Projected(SGD([Parameter(np.ones((2, 2)))], lr=rates), Ball(1.0))


def test_state_schedule_and_groups_are_the_wrapped_ones():
    w, late = Parameter([0.5]), Parameter([5.0])
    held = Projected(SGD([w], lr=1.0, momentum=0.9), Box(-1, 1))
    schedule = StepLR(held, step_size=1, gamma=0.1)
    for _ in range(2):
        w.grad = [-1.0]
        held.step()
        schedule.step()
    assert held.param_groups[0]["lr"] == pytest.approx(0.01)
    again = Parameter(w.data)
    resumed = Projected(SGD([again], lr=1.0, momentum=0.9), Box(-1, 1))
    resumed.load_state_dict(held.state_dict())
    for p, optimizer in ((w, held), (again, resumed)):
        p.grad = [0.3]
        optimizer.step()
    assert np.array_equal(w.data, again.data)
    held.add_param_group({"params": late})
    held.step()
    assert late.data == 1.0, "a parameter that is outside is brought in"


def test_a_method_for_matrices_is_held_too():
    w = Parameter(np.eye(2))
    held = Projected(Muon([w], lr=1.0), Ball(1.0))
    w.grad = np.eye(2)
    held.step()
    assert np.linalg.norm(w.data) <= 1 + 1e-12
