import numpy as np
import pytest
import torch

from optim_scratch import descend, problems, surfaces
from optim_scratch.optimizers import SGD
from optim_scratch.schedulers import StepLR


def test_is_the_loop_that_a_reader_would_write():
    surface = surfaces.rosenbrock()
    path = descend(surface, SGD, 50, lr=1e-3, momentum=0.9)
    theta, b = np.array(surface.start), np.zeros(2)
    for t in range(51):
        assert np.array_equal(path.points[t], theta)
        assert path.losses[t] == surface(theta)
        b = 0.9 * b + surface.gradient(theta)
        theta = theta - 1e-3 * b
    assert path.steps.tolist() == list(range(51))
    assert np.array_equal(path.end, path.points[-1])
    assert path.final_loss == path.losses[-1]
    assert path.diverged_at is None


def test_a_map_of_stability_is_one_call_and_agrees_with_the_closed_form():
    kappa = 20.0
    lr, momentum = np.linspace(0.003, 0.25, 100), np.linspace(0.0, 0.98, 100)
    path = descend(
        surfaces.ravine(kappa),
        SGD,
        3000,
        lr=lr[:, None, None],
        momentum=momentum[:, None],
        every=3000,
    )
    assert path.losses.shape == (2, 100, 100)
    assert path.rates.shape == (2, 100, 100)
    # SGD with momentum settles on a curvature h exactly where η h < 2 (1 + μ)
    margin = lr[:, None] * kappa / (2 * (1 + momentum)) - 1
    clear = np.abs(margin) > 0.01
    assert clear.mean() > 0.97
    assert np.array_equal((path.losses[-1] < path.losses[0])[clear], (margin < 0)[clear])
    assert np.array_equal((path.diverged_at >= 0)[margin > 0.1], np.ones((margin > 0.1).sum()))
    assert (path.diverged_at[margin < -0.01] == -1).all()


def test_many_runs_equal_single_runs():
    rates = np.array([0.01, 0.05, 0.2])
    many = descend(surfaces.beale(), SGD, 40, lr=rates[:, None] / 100, momentum=0.9)
    for i, rate in enumerate(rates):
        one = descend(surfaces.beale(), SGD, 40, lr=rate / 100, momentum=0.9)
        np.testing.assert_allclose(many.points[:, i], one.points, rtol=1e-10)
        np.testing.assert_allclose(many.losses[:, i], one.losses, rtol=1e-9)
        np.testing.assert_allclose(many.rates[:, i], one.rates)


def test_records_every_so_many_steps_and_the_end():
    full = descend(surfaces.ravine(), SGD, 10, lr=0.05)
    some = descend(surfaces.ravine(), SGD, 10, lr=0.05, every=4)
    assert some.steps.tolist() == [0, 4, 8, 10]
    assert np.array_equal(some.points, full.points[some.steps])
    assert np.array_equal(some.losses, full.losses[some.steps])


def test_a_scheduler_is_stepped_after_each_update():
    path = descend(
        surfaces.ravine(), SGD, 6, lr=0.04, scheduler=lambda optimizer: StepLR(optimizer, 2, 0.5)
    )
    assert path.rates.tolist() == [0.04, 0.04, 0.02, 0.02, 0.01, 0.01, 0.005]
    step = path.points[3] - path.points[2]
    np.testing.assert_allclose(step, -0.02 * surfaces.ravine().gradient(path.points[2]), rtol=1e-9)


def test_a_scheduler_drives_many_runs():
    path = descend(
        surfaces.ravine(),
        SGD,
        2,
        lr=np.array([[0.04], [0.02]]),
        scheduler=lambda optimizer: StepLR(optimizer, 1, 0.5),
    )
    np.testing.assert_allclose(path.rates, [[0.04, 0.02], [0.02, 0.01], [0.01, 0.005]])


def test_divergence_is_a_result():
    path = descend(surfaces.ravine(20), SGD, 2000, lr=0.2)
    assert path.diverged_at == 11
    assert abs(path.losses[10]) <= 1e12 < path.losses[11]
    assert not np.isfinite(path.final_loss)
    assert len(path.losses) == 2001


def test_divergence_of_some_of_many():
    path = descend(surfaces.ravine(20), SGD, 100, lr=np.array([[0.05], [0.2], [0.15]]))
    assert path.diverged_at[0] == -1
    assert path.diverged_at[1] == 11
    assert path.diverged_at[2] > 11


def test_the_start_is_not_changed():
    start = np.array([1.0, 2.0])
    descend(surfaces.ravine(), SGD, 3, start=start, lr=0.1)
    assert start.tolist() == [1.0, 2.0]


def test_float32_stays():
    path = descend(surfaces.ravine(), SGD, 3, start=np.ones(2, np.float32), lr=0.1)
    assert path.points.dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps must be >= 1, got 0"),
        ({"steps": 2.5}, TypeError, "steps must be an integer"),
        ({"steps": 1, "every": 0}, ValueError, "every must be >= 1"),
        ({"steps": 1, "start": np.array([1, 2])}, TypeError, "start must hold floating-point"),
        ({"steps": 1, "lr": -1.0}, ValueError, "lr must be finite and >= 0"),
        ({"steps": 1, "learning_rate": 1.0}, TypeError, "learning_rate"),
        ({"steps": 1, "lr": np.ones(100)}, ValueError, r"lr of shape \(100,\) .* points .* \(2,\)"),
        (
            {"steps": 1, "lr": np.ones((4, 1)), "momentum": np.zeros((3, 1))},
            ValueError,
            r"momentum of shape \(3, 1\) does not broadcast to points of shape \(4, 2\)",
        ),
    ],
    ids=str,
)
def test_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        descend(surfaces.ravine(), SGD, **arguments)


def test_rates_along_the_only_coordinate_are_no_runs():
    """With one coordinate an array of rates would broadcast, into a point of that many."""
    bowl = problems.NoisyQuadratic([1.0], 0.0)
    with pytest.raises(ValueError, match=r"lr of shape \(3,\) does not broadcast"):
        descend(bowl, SGD, 1, lr=np.array([0.1, 0.2, 0.3]))
    assert descend(bowl, SGD, 1, lr=np.array([[0.1], [0.2], [0.3]])).losses.shape == (2, 3)


class Halfway(SGD):
    """Evaluated halfway to the origin."""

    def point(self, p):
        return p.data / 2


def test_takes_whatever_makes_an_optimizer():
    surface = surfaces.ravine(5)
    plain = descend(surface, SGD, 10, lr=0.05)
    made = descend(surface, lambda params: SGD(params, lr=0.05), 10)
    passed = descend(surface, lambda params, lr: SGD(params, lr=lr), 10, lr=0.05)
    assert np.array_equal(made.points, plain.points)
    assert np.array_equal(passed.points, plain.points)


def test_records_where_the_loss_is_to_be_evaluated():
    surface = surfaces.ravine(5)
    plain, halfway = (descend(surface, kind, 10, lr=0.05) for kind in (SGD, Halfway))
    assert np.array_equal(halfway.points, plain.points / 2)
    assert np.array_equal(halfway.losses, surface.value(plain.points / 2))


def test_every_step_gets_a_closure_that_looks_where_the_parameter_is():
    class Looking(SGD):
        needs_closure = True

        def step(self, closure=None):
            (p,) = self.param_groups[0]["params"]
            first = closure()
            p.data += 1.0
            losses.append((first, closure(), p.grad.copy()))
            p.data -= 1.0

    losses = []
    surface = surfaces.ravine(5)
    descend(surface, Looking, 1, start=[2.0, 3.0])
    ((here, there, gradient),) = losses
    assert here == surface.value(np.array([2.0, 3.0]))
    assert there == surface.value(np.array([3.0, 4.0]))
    assert np.array_equal(gradient, surface.gradient(np.array([3.0, 4.0])))


def test_one_that_needs_no_closure_is_spared_the_loss():
    class Silent(SGD):
        def step(self, closure=None):
            assert closure() is None

    descend(surfaces.ravine(5), Silent, 1)


@pytest.mark.parametrize("optimizer", [3, "SGD", None])
def test_refuses_what_makes_no_optimizer(optimizer):
    with pytest.raises(TypeError, match="optimizer must be a class or make an optimizer, got"):
        descend(surfaces.ravine(5), optimizer, 1)


def test_refuses_an_optimizer_of_another_kind():
    with pytest.raises(TypeError, match="optimizer must make one of ours, got torch"):
        descend(
            surfaces.ravine(5),
            lambda params: torch.optim.SGD([torch.zeros(2, requires_grad=True)]),
            1,
        )


def test_refuses_many_runs_with_a_method_that_takes_them_for_one():
    class Whole(SGD):
        elementwise = False

    with pytest.raises(ValueError, match=r"Whole would take \(4,\) runs for one"):
        descend(surfaces.ravine(5), Whole, 1, start=np.ones((4, 2)))
