"""What the ladder's page says in words is what its file holds."""

import numpy as np
import pytest

from optim_scratch import ladder, registry

MOMENTUM = ladder.row("SGD momentum 0.9")
OPTIMIZERS = ladder.rows()
SCHEDULES = ladder.rows("schedules")


def apart(rows):
    """The lines that differ from momentum by more than half the interval, seed by seed."""
    pairs = {row.name: row.lead(MOMENTUM) for row in rows if row.name != MOMENTUM.name}
    return {name: mean for name, (mean, half) in pairs.items() if abs(mean) > half}


def test_at_the_top_there_is_hardly_anything_to_choose():
    above = {name: mean for name, mean in apart(OPTIMIZERS).items() if mean > 0}
    assert set(above) == {"SOAP", "SAM", "EMA"}
    assert above.pop("SOAP") == pytest.approx(1 / 300, abs=0.0005)
    assert max(above.values()) < 0.002
    near = [row for row in OPTIMIZERS if abs(row.lead(MOMENTUM)[0]) < 0.005]
    assert len(near) > len(OPTIMIZERS) / 2
    assert 0.05 * (len(OPTIMIZERS) - 1) == pytest.approx(1.8, abs=0.35), "one or two by chance"


def test_below_are_real_losses():
    below = {name: mean for name, mean in apart(OPTIMIZERS).items() if mean < 0}
    small = {name for name, mean in below.items() if mean > -0.005}
    assert {"SGD", "Adam", "Adagrad", "SGDScheduleFree", "AdamWScheduleFree"} <= small
    for name in ("LARS", "LAMB"):
        assert below[name] == pytest.approx(-0.016, abs=0.002)
    signs = [row for row in OPTIMIZERS if row.name in {"Lion", "SignSGD", "SignSGD momentum 0.9"}]
    for row in signs:
        assert row.lead(MOMENTUM)[0] == pytest.approx(-0.012, abs=0.003)
    for name, loss in (("Rprop", 0.02), ("Rprop mini-batches", 0.05), ("Prodigy", 0.02)):
        assert below[name] == pytest.approx(-loss, abs=0.005)
    worst = sorted(OPTIMIZERS, key=lambda row: row.accuracy()[1])[-4:]
    assert {row.name for row in worst} == {"SWATS", "Prodigy", "RMSprop", "LBFGS mini-batches"}
    assert np.sum(ladder.row("SWATS").accuracies[-1] < 0.9) == 1, "one network of twenty"


def test_the_lowest_loss_is_not_the_highest_accuracy():
    first, second = sorted(OPTIMIZERS, key=lambda row: row.loss()[0])[:2]
    assert first.name == "LBFGS"
    assert first.loss()[0] < second.loss()[0] / 100
    assert first.accuracy()[0] < MOMENTUM.accuracy()[0]


def test_muon_and_ema_begin_slowly_and_end_near_the_top():
    places = {
        epochs: [row.name for row in sorted(OPTIMIZERS, key=lambda r: -r.accuracy(epochs)[0])]
        for epochs in (1, 20)
    }
    assert {"Muon", "EMA", "RAdam"} <= set(places[1][-5:])
    assert {"Muon", "EMA"} <= set(places[20][:4])


def test_sgd_falls_off_a_cliff_and_adam_declines():
    for name in "SGD", "SGD momentum 0.9":
        row = ladder.row(name)
        assert row.validation.mean(axis=0)[row.best + 2] < 0.75
    for name in "Adam", "Muon":
        row = ladder.row(name)
        assert row.validation.mean(axis=0)[row.best + 2] > 0.9


def test_adafactors_rate_does_nothing_above_1():
    row = ladder.row("Adafactor")
    above = row.validation[:, row.rates >= 1]
    assert np.all(above == above[:, :1])
    assert row.open


def test_ema_is_wider_than_what_it_averages():
    assert ladder.row("EMA").width > MOMENTUM.width


def test_no_schedule_is_better_and_most_are_wider():
    assert set(apart(SCHEDULES)) == {"ChainedScheduler", "SWALR"}
    assert max(apart(SCHEDULES).values()) < 0
    constant = ladder.row("constant").width
    assert sum(row.width > constant for row in SCHEDULES) == 19


def test_a_momentum_and_an_average_are_two_numbers():
    assert {ladder.row(name).state for name in ("SWA", "EMA", "Lookahead")} == {2}
    assert ladder.row("Adafactor").state < 0.1
    assert ladder.row("LBFGS").state == 22


def test_the_page_shows_every_method():
    shown = {entry.method for entry in ladder.ENTRIES} | {row.name for row in SCHEDULES}
    assert shown - {"constant"} == {method.name for method in registry.METHODS}


def test_eight_of_400_pictures_are_read_wrong():
    wrong = 1 - MOMENTUM.accuracy()[0]
    assert round(400 * wrong) == 8
    assert 100 * np.sqrt(wrong * (1 - wrong) / 400) == pytest.approx(0.7, abs=0.05)
