"""What the chapter on parameter groups claims."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, schedulers
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import SpiralMLP
from optim_scratch.training import layer_groups


def left_after(optimizer, steps, **hyper):
    start = 0.1 * np.random.default_rng(0).standard_normal(1000)
    w = Parameter(start)
    mover = optimizer([w], **hyper)
    for _ in range(steps):
        w.grad = np.zeros(1000)
        mover.step()
    return np.linalg.norm(w.data) / np.linalg.norm(start)


@pytest.mark.parametrize("decay", [1e-4, 1e-6])
def test_a_fresh_adam_erases_what_zero_gradients_should_freeze(decay):
    assert left_after(Adam, 300, lr=1e-3, weight_decay=decay) < 0.15
    assert left_after(SGD, 300, lr=0.1, weight_decay=decay) > 0.99
    assert left_after(Adam, 300, lr=1e-3) == 1


def test_a_decay_below_epsilon_erases_more_slowly():
    assert 0.7 < left_after(Adam, 300, lr=1e-3, weight_decay=1e-8) < 0.85
    assert left_after(Adam, 300, lr=1e-3, weight_decay=1e-10) > 0.99


def test_its_first_step_has_the_length_of_the_rate_whatever_the_decay():
    for decay in (1e-2, 1e-5):
        w = Parameter([0.1, -0.2])
        adam = Adam([w], lr=1e-3, weight_decay=decay)
        w.grad = np.zeros(2)
        adam.step()
        np.testing.assert_allclose(w.data, [0.099, -0.199], atol=2e-5)


def test_no_gradient_freezes_though_there_is_momentum_and_decay():
    for optimizer, hyper in ((SGD, {"momentum": 0.9}), (Adam, {})):
        w = Parameter([1.0])
        mover = optimizer([w], lr=0.1, weight_decay=0.1, **hyper)
        w.grad = [1.0]
        mover.step()
        before, w.grad = w.data.copy(), None
        mover.step()
        assert w.data == before


@pytest.mark.parametrize(("took_part", "left"), [(False, 1.0), (True, 0.1)])
def test_set_to_none_false_makes_zeros_only_where_a_gradient_is(took_part, left):
    layer = 0.1 * np.random.default_rng(0).standard_normal(1000)
    ours, theirs = Parameter(layer), torch.nn.Parameter(torch.from_numpy(layer.copy()))
    hyper = {"lr": 1e-3, "weight_decay": 1e-4}
    for w, method, wrap in (
        (ours, Adam, np.asarray),
        (theirs, torch.optim.Adam, torch.from_numpy),
    ):
        optimizer = method([w], **hyper)
        if took_part:
            w.grad = wrap(np.ones(1000))
        for _ in range(300):
            optimizer.zero_grad(set_to_none=False)
            optimizer.step()
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)
    assert np.linalg.norm(ours.data) / np.linalg.norm(layer) == pytest.approx(left, abs=0.03)


def test_a_limited_number_of_steps_acts_like_a_penalty():
    h, eta, steps = np.geomspace(1e-4, 1e-2, 20), 1e-2, 200
    penalty = 1 / (eta * steps)
    np.testing.assert_allclose(1 - (1 - eta * h) ** steps, h / (h + penalty), rtol=0.02)


def test_the_penalty_holds_for_groups_that_curvature_couples():
    curvature, rates, steps = np.array([[2.0, 0.7], [0.7, 1.0]]), np.diag([1e-3, 1e-4]), 10
    goal, theta = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(steps):
        theta = theta - rates @ curvature @ (theta - goal)
    penalty = np.linalg.inv(rates * steps)
    np.testing.assert_allclose(
        theta, np.linalg.solve(curvature + penalty, curvature @ goal), rtol=0.02
    )


def fine_tuned(theta, inputs, targets, layers, lr, steps):
    problem = SpiralMLP(points=61)
    problem.inputs, problem.targets = inputs, targets
    pieces = [Parameter(piece) for piece in problem.split(theta)]
    chosen = [pieces[2 * i : 2 * i + 2] for i in layers]
    mover = SGD(layer_groups(chosen, lr), lr=lr, momentum=0.9)
    for _ in range(steps):
        flat = np.concatenate([p.data.reshape(len(theta), -1) for p in pieces], axis=-1)
        for p, slope in zip(pieces, problem.split(problem.gradient(flat)), strict=True):
            p.grad = slope
        mover.step()
    return np.concatenate([p.data.reshape(len(theta), -1) for p in pieces], axis=-1)


def test_freedom_belongs_where_the_task_changed():
    old, seeds = SpiralMLP(points=61), 6
    starts = np.array([SpiralMLP(points=61, seed=s).start for s in range(seeds)])
    trained = fine_tuned(starts, old.inputs, old.targets, (0, 1, 2), 0.2, 800)
    rng = np.random.default_rng(5)  # other examples than the chapter's
    few = np.array([rng.permutation(61)[:8] for _ in range(seeds)])
    found = {}
    for name, x, y in (
        ("labels", old.inputs, -old.targets),
        ("inputs", old.inputs + np.array([0.5, 0]), old.targets),
    ):
        for layers in ((0, 1, 2), (2,), (0,)):
            weights = fine_tuned(trained, x[few], y[few], layers, 0.1, 300)
            test = SpiralMLP(points=61)
            test.inputs, test.targets = x, y
            found[name, layers] = test.value(weights).mean()
    assert found["labels", (2,)] < 0.6 * found["labels", (0, 1, 2)] < found["labels", (0,)]
    assert found["inputs", (0,)] < 0.6 * found["inputs", (0, 1, 2)] < found["inputs", (2,)]


@pytest.mark.parametrize(
    ("build", "last"),
    [
        (lambda o: schedulers.StepLR(o, 3, 0.5), [0, 0.00125, 0.0125]),
        (lambda o: schedulers.CosineAnnealingLR(o, 9, 3e-3), [3e-3] * 3),
    ],
)
def test_what_schedulers_leave_of_a_rate_of_0(build, last):
    groups = [{"params": Parameter([0.0]), "lr": lr} for lr in (0.0, 0.01, 0.1)]
    np.testing.assert_allclose(build(SGD(groups, lr=1.0)).preview(10)[-1], last, atol=1e-12)


def test_one_cycle_gives_all_groups_one_rate():
    groups = [{"params": Parameter([0.0]), "lr": lr} for lr in (0.0, 0.01, 0.1)]
    rates = schedulers.OneCycleLR(SGD(groups, lr=1.0), 0.1, total_steps=10).preview(10)
    assert np.ptp(rates, axis=1).max() == 0
    assert rates[2].max() > 0.09


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [("LambdaLR", (lambda t: 0.5**t,), ValueError), ("OneCycleLR", (0.1, 10), KeyError)],
)
def test_a_group_added_in_mid_run_breaks_torchs_schedulers(name, arguments, error):
    first, second = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    mover = torch.optim.SGD([first], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, name)(mover, *arguments)
    mover.add_param_group({"params": [second], "lr": 0.01})
    mover.step()
    with pytest.raises(error):
        scheduler.step()


@pytest.mark.parametrize(
    "build",
    [
        lambda o: schedulers.LambdaLR(o, lambda t: 0.5**t),
        lambda o: schedulers.OneCycleLR(o, 0.1, total_steps=10),
    ],
)
def test_our_overwriting_schedulers_refuse_a_group_added_in_mid_run(build):
    mover = SGD([Parameter([0.0])], lr=0.1)
    scheduler = build(mover)
    mover.add_param_group({"params": Parameter([0.0]), "lr": 0.01})
    mover.step()
    with pytest.raises(ValueError, match=r"group.* that came by add_param_group"):
        scheduler.step()


def test_a_rescaling_scheduler_takes_a_new_group_along():
    mover = SGD([Parameter([0.0])], lr=0.1)
    scheduler = schedulers.StepLR(mover, 1, 0.5)
    mover.add_param_group({"params": Parameter([0.0]), "lr": 0.01})
    mover.step()
    scheduler.step()
    assert [group["lr"] for group in mover.param_groups] == [0.05, 0.005]
