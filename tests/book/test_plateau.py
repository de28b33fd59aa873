"""What the chapter on reducing on a plateau claims."""

import json
from itertools import permutations
from math import factorial

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.exercises.plateau import chance, drops, unfired
from optim_scratch.experiments import results
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits
from optim_scratch.schedulers import GradualWarmupScheduler, ReduceLROnPlateau, SequentialLR


def scheduler(lr=1.0, **arguments):
    return ReduceLROnPlateau(SGD([Parameter(0.0)], lr=lr), **arguments)


def new_rates(metrics, **arguments):
    """Return the epochs, from 1, that begin with another rate than the one before."""
    return (np.flatnonzero(np.diff(scheduler(**arguments).preview(metrics)[:, 0])) + 2).tolist()


@pytest.mark.parametrize("patience", [0, 1, 2, 4])
def test_the_recursion_counts_the_orders_in_which_the_scheduler_has_not_fired(patience):
    for epochs in range(1, 7):
        quiet = sum(
            not new_rates(order, patience=patience, threshold=0)
            for order in permutations(range(epochs))
        )
        assert quiet / factorial(epochs) == pytest.approx(unfired(epochs, patience)[-1], rel=1e-12)


def longest_cycle(order):
    longest, seen = 0, set()
    for start in range(len(order)):
        length, at = 0, start
        while at not in seen:
            seen.add(at)
            length, at = length + 1, order[at]
        longest = max(longest, length)
    return longest


@pytest.mark.parametrize("patience", [0, 1, 2, 4])
def test_the_recursion_counts_the_permutations_without_a_long_cycle(patience):
    short = sum(longest_cycle(order) <= patience + 1 for order in permutations(range(6)))
    assert short / factorial(6) == pytest.approx(unfired(6, patience)[-1], rel=1e-12)


def test_patience_49_outlives_100_epochs_as_often_as_the_prisoners_go_free():
    free = 1 - np.sum(1 / np.arange(51, 101))
    assert unfired(100, 49)[-1] == pytest.approx(free, rel=1e-12)
    assert free == pytest.approx(0.312, abs=5e-4)


@pytest.mark.parametrize("patience", [0, 1, 5, 10, 50])
def test_the_mean_first_firing_is_the_exponential_of_the_harmonic_sum(patience):
    mean = np.sum(unfired(60 * (patience + 1), patience))
    assert mean == pytest.approx(np.exp(np.sum(1 / np.arange(1, patience + 2))), rel=1e-9)
    if patience >= 5:
        assert mean == pytest.approx(1.781 * (patience + 1.5), rel=2e-3)


@pytest.mark.parametrize("patience", [0, 2, 5, 10, 50])
def test_the_median_first_firing_is_just_above_the_root_of_e_patiences(patience):
    median = np.argmax(np.array(unfired(4 * (patience + 1), patience)) <= 0.5)
    assert median == np.ceil(np.sqrt(np.e) * (patience + 1.5) - 0.5)
    assert median == pytest.approx(1.65 * patience + 2, abs=1)


@pytest.mark.parametrize("patience", [0, 2, 5])
def test_a_record_of_epoch_n_outlives_the_patience_with_chance_n_over_n_plus_p_plus_1(patience):
    noise = np.random.default_rng(2).standard_normal((20_000, 30))
    for n in (1, patience + 1):
        record = noise[:, n - 1] == noise[:, :n].min(axis=1)
        holds = noise[record, n - 1] == noise[record, : n + patience + 1].min(axis=1)
        assert holds.mean() == pytest.approx(n / (n + patience + 1), abs=0.03)


def first_firing(metrics, **arguments):
    made = scheduler(threshold=0, **arguments)
    for epoch, metric in enumerate(metrics, start=1):
        made.step(metric)
        if made.get_last_lr()[0] < 1:
            return epoch
    return np.inf


@pytest.mark.parametrize(("ratio", "least", "most"), [(0, 1.5, 2.2), (1, 2.3, 3.5), (2.5, 15, 30)])
def test_progress_within_a_patience_delays_the_first_firing(ratio, least, most):
    noise, trend = np.random.default_rng(3).standard_normal((201, 600)), np.arange(600) / 6
    waits = [first_firing(row - ratio * trend, patience=5) / 6 for row in noise]
    assert least < np.median(waits) < most


@pytest.mark.parametrize("patience", [0, 5, 10])
def test_up_to_twice_the_patience_the_chance_of_the_first_firing_is_one_over_the_epoch(patience):
    for epoch in range(patience + 2, 2 * patience + 4):
        assert chance(epoch, patience) == pytest.approx(1 / epoch, rel=1e-9)
    assert chance(2 * patience + 4, patience) < 1 / (2 * patience + 4)


def test_neither_size_nor_shape_of_the_noise_matters():
    noise = np.random.default_rng(0).standard_normal((200, 40))
    for row in noise:
        expected = new_rates(row, patience=3, threshold=0)
        assert new_rates(1e-9 * row, patience=3, threshold=0) == expected
        assert new_rates(np.exp(5 * row), patience=3, threshold=0) == expected


def test_ties_and_thresholds_make_the_first_firing_earlier_never_later():
    for row in np.random.default_rng(1).standard_normal((200, 60)):
        plain, thick = (
            new_rates(row, patience=4, threshold=threshold, threshold_mode="abs")
            for threshold in (0, 0.5)
        )
        coarse = new_rates(np.floor(2 * row), patience=4, threshold=0)
        for other in (thick, coarse):
            assert min(other, default=99) <= min(plain, default=99)


def test_patience_5_fires_after_the_sixth_bad_epoch_and_is_felt_in_the_next():
    assert new_rates([1.0, 0.8] + 7 * [0.9], patience=5) == [9]


@pytest.mark.parametrize(("patience", "cooldown"), [(5, 0), (5, 4), (0, 0), (2, 1)])
def test_period_without_a_new_best(patience, cooldown):
    metrics = np.ones(60)
    felt = new_rates(metrics, patience=patience, cooldown=cooldown, eps=0)
    assert felt == list(range(patience + 3, 62, patience + 1 + cooldown))
    assert sum(epoch <= 60 for epoch in felt) == drops(60, patience, cooldown)


@pytest.mark.parametrize("whose", ["ours", "torch"])
def test_a_relative_threshold_takes_worse_for_better_where_the_metric_is_negative(whose):
    torch = pytest.importorskip("torch")
    worse = -100 * 0.995 ** np.arange(60)
    for mode, expected in (("rel", 0), ("abs", 9)):
        given = {"patience": 5, "threshold": 0.01, "threshold_mode": mode, "eps": 0}
        if whose == "ours":
            made = scheduler(**given)
        else:
            sgd = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
            made = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, **given)
        for metric in worse:
            made.step(metric)
        assert made.best == (worse[-1] if mode == "rel" else -100)
        assert made.get_last_lr()[0] == pytest.approx(0.1**expected)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_negative_metric_that_stands_still_fires_only_with_an_absolute_threshold(mode):
    level = np.full(20, -100.0)
    given = {"mode": mode, "patience": 5, "eps": 0}
    assert new_rates(level, threshold_mode="rel", **given) == []
    assert new_rates(level, threshold=0, **given) == [8, 14, 20]
    assert new_rates(level, threshold_mode="abs", **given) == [8, 14, 20]


def test_a_threshold_asks_for_its_gain_within_patience_plus_one_epochs():
    for fall, expected in ((1.1, []), (0.9, [7])):
        metrics = -fall * np.arange(7) / 5
        given = {"patience": 4, "threshold": 1.0, "threshold_mode": "abs"}
        assert new_rates(metrics, **given)[:1] == expected


def test_not_a_number_is_bad_and_so_is_an_infinite_start():
    assert new_rates([1.0] + 4 * [np.nan], patience=1) == [4, 6]
    assert new_rates([np.inf, np.inf, 1.0], patience=1) == [3]
    assert json.dumps(scheduler().state_dict()["best"]) == "Infinity"


@pytest.mark.parametrize(("seed", "first", "second"), [(0, 16, 17), (1, 11, 24)])
def test_where_the_constant_runs_of_the_vgg_would_have_dropped(seed, first, second):
    table = results.read("article-003").query(f"seed == {seed}").set_index("recipe")
    losses = table.loc["constant", "train_loss"]
    assert table.loc["constant", "validation_loss"].isna().all()
    for patience, epoch in ((0, first), (1, second)):
        assert new_rates(losses, lr=0.01, patience=patience)[0] == epoch
    for patience in (2, 3, 5, 10):
        assert new_rates(losses, lr=0.01, patience=patience) == []
    accuracy = {name: table.loc[name].set_index("epoch")["test_accuracy"] for name in
                ("constant", "step")}  # fmt: skip
    ahead = accuracy["step"] - accuracy["constant"]
    assert 0.02 < ahead.loc[17:19].mean() < 0.03
    assert abs(ahead.loc[26:30].mean()) < 0.005


def test_after_a_warmup_the_first_metric_seen_is_that_of_the_epoch_after_the_rise():
    sgd = SGD([Parameter(0.0)], lr=0.1)
    after = ReduceLROnPlateau(sgd, patience=1, factor=0.5)
    warmup, rates = GradualWarmupScheduler(sgd, 4, 3, after), []
    for metric in (9.0, 8.0, 7.0, 6.0, 6.0, 6.0, 6.0, 6.0):
        sgd.step()
        warmup.step(metrics=metric)
        rates.append(sgd.param_groups[0]["lr"])
    assert rates == pytest.approx([0.2, 0.3, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1])
    assert after.best == 6.0


def test_a_sequence_refuses_a_scheduler_that_needs_a_metric():
    sgd = SGD([Parameter(0.0)], lr=0.1)
    with pytest.raises(ValueError, match="ReduceLROnPlateau"):
        SequentialLR(sgd, [ReduceLROnPlateau(sgd), ReduceLROnPlateau(sgd)], milestones=[5])


def test_the_machine_of_the_figure():
    metrics = [1.0, 0.8, 0.78, 0.74, 0.76, 0.75, 0.77, 0.66, 0.68, 0.67, 0.68, 0.66, 0.66, 0.66]
    made = scheduler(
        lr=0.1, factor=0.3, patience=2, cooldown=2, min_lr=0.01, threshold=0.05,
        threshold_mode="abs",
    )  # fmt: skip
    seen = []
    for metric in metrics:
        made.step(metric)
        seen.append((made.best, made.num_bad_epochs, made.cooldown_counter))
    assert [best for best, _, _ in seen] == [1.0] + 2 * [0.8] + 4 * [0.74] + 7 * [0.66]
    assert [bad for _, bad, _ in seen] == [0, 0, 1, 0, 1, 2, 0, 0, 0, 1, 2, 0, 0, 0]
    assert [rest for _, _, rest in seen] == 6 * [0] + [2, 1, 0, 0, 0, 2, 1, 0]
    assert made.preview([])[0, 0] == pytest.approx(0.01)  # 0.009 lies below min_lr


@pytest.mark.parametrize(
    ("mode", "metrics"),
    [
        ("max", np.geomspace(1, 0.1, 24)),
        ("min", np.linspace(0.1, 0.9, 24)),
        ("min", [1.0] + 23 * [np.nan]),
        ("min", np.ones(24)),
    ],
)
def test_a_wrong_mode_and_no_number_look_like_a_level_loss(mode, metrics):
    assert new_rates(metrics, mode=mode, patience=5, eps=0) == [8, 14, 20]
    assert new_rates(np.geomspace(1, 0.1, 24), patience=5) == []


def train(watch=None, lr=0.25, epochs=40, batch_size=32, seed=0, **arguments):
    """Train on the digits; return the rates of all epochs, the losses watched, the weights."""
    digits = Digits(batch_size=batch_size, seed=seed)
    w = Parameter(digits.start)
    sgd = SGD([w], lr=lr)
    made, rates, losses = ReduceLROnPlateau(sgd, **arguments), [], []
    for epoch in range(epochs):
        rates.append(sgd.param_groups[0]["lr"])
        for batch in digits.batches(1, first=epoch):
            w.grad = digits.gradient(w.data, batch)
            sgd.step()
        picture = digits.losses(w.data)[batch].mean()
        losses.append(digits.loss(w.data, "validation"))
        if watch:
            made.step(picture if watch == "batch" else losses[-1])
    return np.array(rates), np.array(losses), digits.loss(w.data, "test")


def test_a_batch_fools_the_scheduler_where_the_validation_loss_does_not():
    rates, losses, _ = train("batch", patience=3)
    assert (np.flatnonzero(np.diff(rates)) + 2)[:2].tolist() == [12, 16]
    quiet, lower, _ = train("validation", patience=3)
    assert len(set(quiet)) == 1
    assert losses[-1] == pytest.approx(0.163, abs=5e-4)
    assert lower[-1] == pytest.approx(0.098, abs=5e-4)
    assert losses[:11] == pytest.approx(lower[:11])


def test_patience_0_costs_at_a_good_rate_and_patience_2_saves_a_rate_too_high():
    few = {"epochs": 16, "batch_size": 8, "factor": 0.3}

    def mean(watch, lr, patience):
        return np.mean([train(watch, lr, patience=patience, seed=s, **few)[2] for s in range(4)])

    assert mean("validation", 0.5, 0) > mean("validation", 0.5, 2) + 0.005
    assert mean(None, 1.0, 2) > mean("validation", 1.0, 2) + 0.03


def test_a_drop_frees_what_noise_holds_up():
    high = {"lr": 1.0, "epochs": 18, "batch_size": 8, "patience": 3}
    rates, losses, _ = train("validation", **high)
    drop = np.argmax(rates < 1)
    assert drop + 1 == 11
    assert losses[drop] < 0.5 * losses[drop - 1]


def test_stepped_once_a_batch_the_rate_is_gone_within_an_epoch():
    digits = Digits(batch_size=8)
    w = Parameter(digits.start)
    sgd = SGD([w], lr=0.5)
    made = ReduceLROnPlateau(sgd)
    for batch in digits.batches(1):
        w.grad = digits.gradient(w.data, batch)
        sgd.step()
        made.step(digits.losses(w.data)[batch].mean())
    assert made.last_epoch == 128
    assert made.get_last_lr()[0] == pytest.approx(5e-9)


def test_where_the_model_overfits_a_drop_freezes_and_does_not_heal():
    draw = np.random.default_rng(0)
    inputs = draw.standard_normal((1025, 20))
    targets = inputs.sum(axis=1) + 2 * draw.standard_normal(1025)
    ends = {}
    for watch in (False, True):
        w, losses = Parameter(np.zeros(20)), []
        sgd = SGD([w], lr=0.4)
        made = ReduceLROnPlateau(sgd, patience=3)
        for _ in range(60):
            w.grad = inputs[:25].T @ (inputs[:25] @ w.data - targets[:25]) / 25
            sgd.step()
            losses.append(0.5 * np.mean((inputs[25:] @ w.data - targets[25:]) ** 2))
            if watch:
                made.step(losses[-1])
        assert np.argmin(losses) + 1 == 11
        ends[watch] = losses[-1]
        assert ends[watch] > min(losses)
    assert ends[True] < 0.7 * ends[False]
