"""What the chapter on composing and resuming claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, schedulers
from optim_scratch.exercises.composing_and_resuming import seam
from optim_scratch.optimizers import SGD


def sgd(lr=0.05):
    return SGD([Parameter(0.0)], lr=lr)


def train(scheduler, epochs):
    for _ in range(epochs):
        scheduler.optimizer.step()
        scheduler.step()


def warmup_cosine(optimizer, module=schedulers):
    warmup = module.LinearLR(optimizer, start_factor=0.01, total_iters=5)
    cosine = module.CosineAnnealingLR(optimizer, T_max=25)
    return module.SequentialLR(optimizer, [warmup, cosine], milestones=[5])


def the_same_curve_overwriting(optimizer):
    shape = schedulers.curve(warmup_cosine, 60)
    return schedulers.LambdaLR(optimizer, lambda t: shape[t])


def resumed(build, order, done=10):
    """An optimizer and its scheduler; "b" builds, "o" and "s" load a state."""
    optimizer = sgd()
    scheduler = build(optimizer)
    train(scheduler, done)
    saved, optimizer = (optimizer.state_dict(), scheduler.state_dict()), sgd()
    for letter in order:
        if letter == "b":
            scheduler = build(optimizer)
        elif letter == "o":
            optimizer.load_state_dict(saved[0])
        else:
            scheduler.load_state_dict(saved[1])
    return optimizer, scheduler


def whole(build):
    return schedulers.curve(build, 30, lr=0.05)


@pytest.mark.parametrize("build", [warmup_cosine, the_same_curve_overwriting])
@pytest.mark.parametrize("order", ["bos", "bso"])
@pytest.mark.parametrize("done", [0, 1, 4, 5, 6, 29])
def test_built_first_and_then_loaded_goes_on_to_the_last_bit(build, order, done):
    _, scheduler = resumed(build, order, done)
    assert np.array_equal(scheduler.preview(30 - done)[:, 0], whole(build)[done:])


def test_the_optimizer_loaded_first_trains_at_a_ninetieth_and_the_scheduler_denies_it():
    optimizer, scheduler = resumed(warmup_cosine, "obs")
    right = whole(warmup_cosine)[10:]
    assert scheduler.get_last_lr()[0] == right[0]
    assert optimizer.param_groups[0]["lr"] == 0.05 * 0.01
    np.testing.assert_allclose(right / scheduler.preview(20)[:, 0], 90.45, rtol=1e-3)


def test_torch_does_the_same():
    torch = pytest.importorskip("torch")
    theirs = torch.optim.lr_scheduler

    def fresh():
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.05)

    optimizer = fresh()
    scheduler = warmup_cosine(optimizer, theirs)
    train(scheduler, 10)
    saved, optimizer = (optimizer.state_dict(), scheduler.state_dict()), fresh()
    optimizer.load_state_dict(saved[0])
    scheduler = warmup_cosine(optimizer, theirs)
    scheduler.load_state_dict(saved[1])
    said, used = scheduler.get_last_lr()[0], optimizer.param_groups[0]["lr"]
    assert said / used == pytest.approx(90.45, rel=1e-3)
    assert "Initializing a scheduler overwrites" in theirs.LRScheduler.__doc__


def test_a_forgotten_scheduler_lifts_the_rate_to_73_times_the_peak():
    _, scheduler = resumed(warmup_cosine, "bo")
    assert scheduler.preview(20).max() / 0.05 == pytest.approx(72.5, rel=0.01)


@pytest.mark.parametrize("order", ["obs", "bs"])
def test_an_overwriting_schedule_heals_after_one_epoch(order):
    _, scheduler = resumed(the_same_curve_overwriting, order)
    right = whole(the_same_curve_overwriting)[10:]
    rates = scheduler.preview(20)[:, 0]
    assert rates[0] == pytest.approx(right[0] / 90.45, rel=1e-3)
    assert np.array_equal(rates[1:], right[1:])


@pytest.mark.parametrize("build", [warmup_cosine, the_same_curve_overwriting])
@pytest.mark.parametrize(("order", "healthy"), [("bos", True), ("obs", False), ("bs", False)])
def test_the_rates_tell_a_wrong_resume(build, order, healthy):
    optimizer, scheduler = resumed(build, order)
    assert (optimizer.param_groups[0]["lr"] == scheduler.get_last_lr()[0]) == healthy


@pytest.mark.parametrize("order", ["bo", "b"])
def test_the_count_tells_a_forgotten_scheduler(order):
    assert resumed(warmup_cosine, order)[1].last_epoch == 0


def step_of(scheduler_of, rate):
    """Where the step to epoch 11 leads from a rate set by hand in epoch 10."""
    optimizer = sgd(0.1)
    scheduler = scheduler_of(optimizer)
    train(scheduler, 10)
    optimizer.param_groups[0]["lr"] = rate
    scheduler.step()
    return optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(
    ("scheduler_of", "memory", "pull"),
    [
        (lambda o: schedulers.ExponentialLR(o, 0.9), 0.9, 0.0),
        (lambda o: schedulers.StepLR(o, 11, 0.2), 0.2, 0.0),
        (lambda o: schedulers.LambdaLR(o, lambda t: t), 0.0, 1.1),
        (
            lambda o: schedulers.CosineAnnealingLR(o, 25, 0.01),
            (ratio := (1 + np.cos(np.pi * 11 / 25)) / (1 + np.cos(np.pi * 10 / 25))),
            (1 - ratio) * 0.01,
        ),
    ],
    ids=["ExponentialLR", "StepLR", "LambdaLR", "CosineAnnealingLR"],
)
def test_a_step_is_a_memory_and_a_pull(scheduler_of, memory, pull):
    for rate in (0.0, 0.03, 7.0):
        assert step_of(scheduler_of, rate) == pytest.approx(memory * rate + pull, abs=1e-12)


def test_restarts_chained_with_a_decay_are_their_product_in_neither_order():
    def restarts(o):
        return schedulers.CosineAnnealingWarmRestarts(o, 12)

    def decay(o):
        return schedulers.ExponentialLR(o, 0.9)

    def chain(*members):
        def build(o):
            return schedulers.ChainedScheduler([member(o) for member in members])

        return schedulers.curve(build, 36)

    alone = schedulers.curve(restarts, 36)
    np.testing.assert_array_equal(chain(decay, restarts), alone)
    np.testing.assert_allclose(chain(restarts, decay)[1:], 0.9 * alone[1:])


def test_a_cosine_stepped_by_the_batch_returns_194_times():
    wave = schedulers.CosineAnnealingLR.curve(30 * 390, T_max=30)
    assert np.sum(np.isclose(wave, 1.0)) - 1 == 194
    assert wave.mean() == pytest.approx(0.5, abs=0.001)


def test_a_group_that_joins_late_gets_the_factors_to_come():
    optimizer = sgd(0.1)
    scheduler = schedulers.LinearLR(optimizer, 0.1, total_iters=20)
    train(scheduler, 2)
    optimizer.add_param_group({"params": Parameter(0.0), "lr": 0.1})
    train(scheduler, 28)
    first, late = (group["lr"] for group in optimizer.param_groups)
    assert first == pytest.approx(0.1)
    assert late == pytest.approx(0.1 / (0.1 + 0.9 * 2 / 20))


def test_the_seam_begins_from_the_base_rate():
    def build(o):
        members = [schedulers.ExponentialLR(o, 0.9), schedulers.CosineAnnealingLR(o, 20)]
        return schedulers.SequentialLR(o, members, [10])

    rates = schedulers.curve(build, 11)
    assert rates[9] == pytest.approx(0.9**9)
    assert rates[10] == 1.0


def sequence(o):
    members = [schedulers.LinearLR(o, 0.1), schedulers.ExponentialLR(o, 0.9)]
    return schedulers.SequentialLR(o, members, [20])


def edited(build, factor, now, at=10):
    """The rate of epoch `now`, after a hand multiplied that of epoch `at`."""
    optimizer = sgd(0.1)
    scheduler = build(optimizer)
    for epoch in range(now):
        if epoch == at:
            optimizer.param_groups[0]["lr"] *= factor
        train(scheduler, 1)
    return optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(
    ("build", "until"),
    [
        (lambda o: schedulers.StepLR(o, 8), 60),
        (lambda o: schedulers.PolynomialLR(o, 70), 60),
        (lambda o: schedulers.CosineAnnealingLR(o, 25), 24),
        (sequence, 19),
        (lambda o: schedulers.LambdaLR(o, lambda t: 0.9**t), 10),
        (lambda o: schedulers.CyclicLR(o, 0.01, 0.1, 8), 10),
        (lambda o: schedulers.WarmupCosineSchedule(o, 5, 70), 10),
        (lambda o: schedulers.GradualWarmupScheduler(o, 4, 20), 10),
    ],
    ids=["Step", "Poly", "Cosine", "Sequential", "Lambda", "Cyclic", "WarmupCosine", "Gradual"],
)
def test_a_halved_rate_stays_halved_until_a_memory_of_0_and_no_longer(build, until):
    for now in range(11, 61):
        share = 0.5 if now <= until else 1.0
        assert edited(build, 0.5, now) == pytest.approx(share * edited(build, 1.0, now)), now


def test_an_edit_of_the_gradual_warmup_after_its_rise_lasts_as_its_follower_lets_it():
    def gradual(o):
        return schedulers.GradualWarmupScheduler(o, 4, 20, schedulers.ExponentialLR(o, 0.9))

    assert edited(gradual, 0.5, 50, at=25) == pytest.approx(edited(gradual, 1.0, 50) / 2)


@pytest.mark.parametrize(
    ("build", "stepped", "least", "most"),
    [
        (lambda o, **k: schedulers.StepLR(o, 8, 0.1, **k), 0, 1, 1),
        (lambda o, **k: schedulers.StepLR(o, 8, 0.1, **k), 1, 0.1, 1),
        (lambda o, **k: schedulers.ExponentialLR(o, 0.9, **k), 0, 1 / 0.9, 1 / 0.9),
        (lambda o, **k: schedulers.ExponentialLR(o, 0.9, **k), 1, 1, 1),
        (lambda o, **k: schedulers.LinearLR(o, 0.1, total_iters=20, **k), 0, 0.1 / 0.145, 1),
        (lambda o, **k: schedulers.LinearLR(o, 0.1, total_iters=20, **k), 1, 1, 1),
        (lambda o, **k: schedulers.LambdaLR(o, lambda t: 0.9**t, **k), 0, 1, 1),
        (lambda o, **k: schedulers.LambdaLR(o, lambda t: 0.9**t, **k), 1, 1, 1),
    ],
)
def test_no_moment_of_saving_suits_all_who_resume_by_last_epoch(build, stepped, least, most):
    shares = []
    for k in range(31):
        before, after = sgd(0.1), sgd(0.1)
        scheduler = build(before)
        train(scheduler, k + stepped)
        after.load_state_dict(before.state_dict())
        resumed = build(after, last_epoch=k)
        assert resumed.last_epoch == k + 1
        shares.append(resumed.get_last_lr()[0] / build(sgd(0.1)).preview(k + 2)[-1, 0])
    assert (min(shares), max(shares)) == pytest.approx((least, most))


def test_a_second_scheduler_takes_the_first_rate_of_all_for_its_base():
    optimizer = sgd(0.1)
    schedulers.StepLR(optimizer, 8)
    optimizer.param_groups[0]["lr"] = 0.001
    assert schedulers.LambdaLR(optimizer, lambda t: 1.0).get_last_lr() == [0.1]
    optimizer.param_groups[0]["lr"] = 0.001
    del optimizer.param_groups[0]["initial_lr"]
    assert schedulers.LambdaLR(optimizer, lambda t: 1.0).get_last_lr() == [0.001]


def test_a_function_is_not_saved_and_an_object_is():
    class Decay:
        def __init__(self, gamma):
            self.gamma = gamma

        def __call__(self, t):
            return self.gamma**t

    for make, next_rate in ((Decay, 0.09), (lambda gamma: lambda t: gamma**t, 0.05)):
        new = schedulers.LambdaLR(sgd(0.1), make(0.5))
        new.load_state_dict(schedulers.LambdaLR(sgd(0.1), make(0.9)).state_dict())
        assert new.preview(2)[1, 0] == pytest.approx(next_rate)


def test_a_forgotten_buffer_escapes_the_guard_where_no_rate_has_changed_yet():
    optimizer, scheduler = resumed(lambda o: schedulers.StepLR(o, 30), "bs")
    assert optimizer.param_groups[0]["lr"] == scheduler.get_last_lr()[0]
    assert scheduler.last_epoch == 10


def test_the_exercise_on_the_seam_is_the_packages_rate():
    def build(o):
        members = [schedulers.LinearLR(o, 0.01), schedulers.ExponentialLR(o, 0.9)]
        return schedulers.SequentialLR(o, members, [5])

    closed = [seam(t, 0.1, 0.01, 5, 0.9) for t in range(30)]
    np.testing.assert_allclose(schedulers.curve(build, 30, lr=0.1), closed, rtol=1e-12)
