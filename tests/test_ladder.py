"""The ladder holds every method, by the protocol of the code, and its numbers come out again."""

import json

import numpy as np
import pytest

from optim_scratch import ladder, registry
from optim_scratch.ladder import __main__, reading, running, schedules
from optim_scratch.problems import Digits

ALL = [*ladder.rows(), *ladder.rows("schedules")]
every = pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
SPOT = running.FRESH[:2]


@pytest.mark.parametrize("method", registry.METHODS, ids=lambda method: method.name)
def test_every_method_has_a_line(method):
    optimizer = method.kind == "optimizer"
    place = "entries.py" if optimizer else "schedules.py"
    known = [e.method for e in ladder.ENTRIES] if optimizer else [s.name for s in ladder.SCHEDULES]
    part = ladder.read()["optimizers" if optimizer else "schedules"]
    measured = [each["method" if optimizer else "name"] for each in part]
    assert method.name in known, (
        f"{method.name} is not on the ladder: give it an entry in optim_scratch/ladder/{place}"
    )
    assert method.name in measured, (
        f"{method.name} has an entry but was not measured: run make ladder LINES={method.name}"
    )


def test_the_file_is_by_the_protocol_of_the_code():
    content = ladder.read()
    assert content["protocol"] == json.loads(json.dumps(ladder.PROTOCOL))
    assert set(content["versions"]) == {"optim_scratch", "numpy", "python"}
    assert [row.name for row in ladder.rows()] == [entry.name for entry in ladder.ENTRIES]
    assert [row.name for row in ladder.rows("schedules")] == [s.name for s in ladder.SCHEDULES]
    for row, entry in zip(ALL, [*ladder.ENTRIES, *ladder.SCHEDULES], strict=True):
        assert row.settings == entry.settings, f"run make ladder LINES='\"{row.name}\"'"
        middle = getattr(entry, "middle", schedules.MIDDLE)
        assert row.rates == pytest.approx(running.rates(middle), rel=1e-5)


@every
def test_every_line_is_whole(row):
    assert row.validation.shape == (len(running.TUNING), running.RATES)
    assert row.losses.shape == row.accuracies.shape == (3, len(running.FRESH))
    assert set(np.round(row.accuracies.ravel() * 400, 6) % 1) == {0}  # of 400 pictures


@every
def test_the_best_rate_is_inside_the_grid(row):
    assert 0 < row.best < len(row.rates) - 1, (
        f"the best rate of {row.name} is at an end of those tried: move its middle"
    )


@pytest.mark.parametrize("name", ["EMA", "Muon"])
def test_a_line_comes_out_again(name):
    """Run by run and not at once, as measured; another CPU rounds otherwise.

    That moves the loss of these two, which do not stand on an edge, by less than 1e-12 after 20
    epochs if the start is moved by 1e-15; six digits are written. One picture of 400 may flip.
    """
    [entry] = [entry for entry in ladder.ENTRIES if entry.name == name]
    row, digits = ladder.row(name), Digits()
    for seed in SPOT:
        run = running.Run(entry, Digits(seed=seed), row.rate)
        for mark, theta in enumerate(running.trained(run, running.MARKS)):
            assert digits.loss(theta) == pytest.approx(row.losses[mark, seed], rel=1e-5)
            assert abs(digits.accuracy(theta) - row.accuracies[mark, seed]) < 1.5 / 400
    assert running.kept(run.optimizers) / digits.size == pytest.approx(row.state, abs=1e-4)


def test_a_schedule_comes_out_again():
    [schedule] = [each for each in ladder.SCHEDULES if each.name == "CosineAnnealingLR"]
    row, digits = ladder.row(schedule.name), Digits()
    found = schedules.scheduled(schedule, np.array([row.rate]), SPOT, running.MARKS)
    for mark, theta in enumerate(found):
        expected = row.losses[mark, list(SPOT)]
        assert digits.loss(theta[:, 0]) == pytest.approx(expected, rel=1e-5)


def test_the_choice_of_the_rate_comes_out_again():
    [entry] = [entry for entry in ladder.ENTRIES if entry.name == "SGD"]
    row = ladder.row("SGD")
    [theta] = running.points(entry, row.rates, running.TUNING[:1], running.MARKS[-1:])
    _, found = running.judged(Digits(), theta, "validation", "validation")
    calm = row.rates <= row.rate  # above it runs diverge, and there every rounding counts
    assert found[0, calm] == pytest.approx(row.validation[0, calm], abs=1.5 / 373)


def test_no_schedule_is_sgd_with_momentum():
    constant, momentum = ladder.row("constant"), ladder.row("SGD momentum 0.9")
    assert constant.losses == pytest.approx(momentum.losses, rel=1e-5)


def test_diverged_runs_count_as_chance():
    loss, accuracy = running.judged(Digits(), np.full(2410, np.nan), "train", "test")
    assert (loss, accuracy) == (np.log(10), 0.1)


def test_best_is_by_accuracy_then_loss():
    accuracy = np.array([[0.9, 0.5, 0.8], [0.7, 0.5, 0.8]])
    assert running.best(accuracy, np.array([[2.0, 0.0, 1.0]] * 2)) == 2
    assert running.best(accuracy, np.array([[1.0, 0.0, 2.0]] * 2)) == 0


def test_width_counts_neighbours_only():
    means = [0.95, 0.9, 0.945, 0.95, 0.941, 0.93]
    arguments = dict.fromkeys(["name", "settings", "family", "losses", "accuracies"], "")
    numbers = dict.fromkeys(["state", "passes", "time"], 0.0)
    row = reading.Row(**arguments, **numbers, rates=2.0 ** np.arange(6),
                      validation=np.array([means]), best=3)  # fmt: skip
    assert (row.width, row.open) == (4, False)


def test_interval_holds_the_mean_in_95_of_100_samples():
    samples = np.random.default_rng(0).normal(size=(20_000, 20))
    found = [abs(mean) <= half for mean, half in map(reading.interval, samples)]
    assert np.mean(found) == pytest.approx(0.95, abs=0.005)  # three standard errors


def test_momentum_leads_plain_descent_by_a_paired_difference():
    momentum, plain = ladder.row("SGD momentum 0.9"), ladder.row("SGD")
    mean, half = momentum.lead(plain)
    assert mean == pytest.approx(momentum.accuracy()[0] - plain.accuracy()[0])
    assert 0 < half < momentum.accuracy()[1] + plain.accuracy()[1]


def test_compare_prints_aligned_lines():
    text = ladder.compare("SGD", "SGD momentum 0.9", "StepLR")
    lines = text.splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) <= 80
    assert [line[:18].rstrip() for line in lines[2:]] == ["SGD", "SGD momentum 0.9", "StepLR"]
    assert len({line.index("±") for line in lines[2:]}) == 1


def test_compare_of_every_line_fits():
    for row in ladder.rows():
        assert max(map(len, ladder.compare(row.name).splitlines())) <= 80


def test_unknown_lines_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"got 'SGD momentum'; near: .*SGD momentum 0\.9"):
        ladder.compare("SGD momentum")
    with pytest.raises(ValueError, match="got none"):
        ladder.compare()
    with pytest.raises(ValueError, match="part must be"):
        ladder.rows("scheduler")


def test_named_lines_are_measured_and_the_others_kept(tmp_path, monkeypatch):
    place = tmp_path / "ladder.json"
    place.write_text(__main__.PLACE.read_text())
    monkeypatch.setattr(__main__, "PLACE", place)
    monkeypatch.setattr(__main__, "line", lambda entry: {"name": entry.name, "new": True})
    __main__.main(["Adam"])
    after, before = json.loads(place.read_text()), ladder.read()
    pairs = zip(after["optimizers"], before["optimizers"], strict=True)
    changed = [new["name"] for new, old in pairs if new != old]
    assert changed == ["Adam"]
    assert after["schedules"] == before["schedules"]
    with pytest.raises(SystemExit, match="no line of the ladder: Adma"):
        __main__.main(["Adma"])
