"""Our schedulers pass for torch's, to torch itself too, and stay what they are."""

import copy
import importlib.util
import inspect
import io
import pickle
from dataclasses import replace

import pytest
import torch
from every_scheduler import (
    IN_TORCH,
    METRICS,
    NAMES,
    STEPS,
    WITH_METRIC,
    WITHOUT_METRIC,
    Torch,
    build,
    present,
    walk,
)
from torch.optim import lr_scheduler

from optim_scratch import Parameter, optimizers, registry
from optim_scratch import schedulers as plain
from optim_scratch.experiments import schedulers as accepted
from optim_scratch.schedulers import step_lr
from optim_scratch.schedulers.scheduler import Overwriting

every = pytest.mark.parametrize("name", NAMES)
at_any_time = pytest.mark.parametrize("at", [3, 7])


@accepted.for_frameworks
class Harmonic(Overwriting):
    """A reader's own."""

    def multiple(self, epoch):
        return 1 / (1 + epoch)


class Shelf:
    """Holds a scheduler within."""

    @accepted.for_frameworks
    class Kept(Overwriting):
        """To be found by its full name."""


@accepted.for_frameworks
class Patient(plain.ReduceLROnPlateau):
    """A reader's own plateau."""


def torch_sgd():
    groups = [{"params": [torch.nn.Parameter(torch.zeros(()))], "lr": lr} for lr in (0.1, 0.03)]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    optimizer.step()
    return optimizer


def our_sgd():
    groups = [{"params": Parameter(0.0), "lr": lr} for lr in (0.1, 0.03)]
    return optimizers.SGD(groups, momentum=0.9)


def torchs(name, optimizer):
    """torch's own, past its warning of steps that no update preceded."""
    scheduler = build(name, Torch(), optimizer)
    optimizer.step()
    return scheduler


def through_a_file(state):
    """What torch.load, which admits only plain things, makes of a saved state."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


# the classes


def test_every_scheduler_of_the_registry_is_here_and_nothing_else():
    assert sorted(accepted.__all__) == sorted([*NAMES, "for_frameworks"])
    assert set(accepted.__all__) <= set(dir(accepted))
    imported = {}
    exec("from optim_scratch.experiments.schedulers import *", imported)
    assert set(accepted.__all__) == imported.keys() - {"__builtins__"}


def test_a_scheduler_that_the_registry_gets_is_here_too(monkeypatch):
    class Later(plain.StepLR):
        """One that is yet to be written."""

    monkeypatch.setattr(step_lr, "Later", Later, raising=False)
    longer = (
        *registry.methods("scheduler"),
        replace(registry.find("StepLR"), name="Later", torch=""),
    )
    monkeypatch.setattr(registry, "methods", lambda kind: longer)
    spec = importlib.util.spec_from_file_location("again", accepted.__file__)
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    assert "Later" in again.__all__
    order = again.Later.__mro__
    assert order.index(Later) < order.index(lr_scheduler.LRScheduler)


@every
def test_a_class_is_ours_first_and_torchs_second(name):
    kind, ours = getattr(accepted, name), getattr(plain, name)
    torchs_own = getattr(Torch(), name) if name in IN_TORCH else lr_scheduler.LRScheduler
    order = kind.__mro__
    assert order.index(ours) < order.index(plain.LRScheduler) < order.index(torchs_own)
    assert torchs_own in kind.__bases__
    assert (kind.__name__, kind.__doc__) == (name, ours.__doc__)
    assert inspect.signature(kind) == inspect.signature(ours)


@every
def test_nothing_of_torchs_stands_before_ours(name):
    ours, kind = getattr(plain, name), getattr(accepted, name)
    own = {n for base in kind.__mro__[: kind.__mro__.index(ours)] for n in vars(base)}
    for attribute in set(dir(ours)) - own - {"__weakref__"}:
        found = inspect.getattr_static(kind, attribute)
        assert found is inspect.getattr_static(ours, attribute), attribute


# the rates


@pytest.mark.parametrize("optimizer", [torch_sgd, our_sgd])
@every
def test_its_rates_are_those_of_the_plain_class(name, optimizer):
    scheduler = build(name, accepted, optimizer())
    assert isinstance(scheduler, plain.LRScheduler)
    assert isinstance(scheduler, lr_scheduler.LRScheduler)
    assert isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) == (name == WITH_METRIC)
    rates = walk(name, scheduler)
    assert rates == walk(name, build(name, plain, optimizer()))
    assert scheduler.get_last_lr() == [lr for lr, _ in rates[-1]]


@pytest.mark.parametrize("name", [n for n in WITHOUT_METRIC if not n.startswith(("Seq", "Cha"))])
def test_its_curve_is_that_of_the_plain_class(name):
    def curve(module):
        return plain.curve(lambda optimizer: build(name, module, optimizer), STEPS).tolist()

    assert curve(accepted) == curve(plain)


@every
def test_it_is_copied_and_pickled_with_its_optimizer(name):
    assert pickle.loads(pickle.dumps(getattr(accepted, name))) is getattr(accepted, name)
    scheduler = build(name, accepted, torch_sgd())
    walk(name, scheduler, steps=5)
    twins = [copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))]
    expected = walk(name, scheduler, 5)
    for twin in twins:
        assert type(twin) is type(scheduler)
        assert walk(name, twin, 5) == expected


# saved states


def pairs():
    """Who saves, who loads, and for which schedulers."""
    ours = build_of(plain), build_of(accepted)
    yield from ((*pair, NAMES) for pair in [ours, ours[::-1], (ours[1], ours[1])])
    yield from ((*pair, IN_TORCH) for pair in [(ours[1], torchs), (torchs, ours[1])])


def build_of(module):
    return lambda name, optimizer: build(name, module, optimizer)


@at_any_time
@pytest.mark.parametrize(
    ("saves", "loads", "name"),
    [
        pytest.param(saves, loads, name, id=f"{i}-{name}")
        for i, (saves, loads, names) in enumerate(pairs())
        for name in names
    ],
)
def test_a_state_crosses_between_the_plain_class_this_one_and_torchs(saves, loads, name, at):
    straight = walk(name, build(name, plain, torch_sgd()))
    before = saves(name, torch_sgd())
    walk(name, before, steps=at)
    saved = through_a_file([before.state_dict(), before.optimizer.state_dict()])
    after = loads(name, torch_sgd())
    after.load_state_dict(saved[0])
    after.optimizer.load_state_dict(saved[1])
    for found, expected in zip(walk(name, after, at), straight[at:], strict=True):
        for row, known in zip(found, expected, strict=True):
            assert row == pytest.approx(known, rel=1e-12)


@every
def test_what_ignite_leaves_on_it_is_no_part_of_its_state(name):
    scheduler = build(name, accepted, torch_sgd())
    fresh = scheduler.state_dict()
    scheduler._get_lr_called_within_step = False
    assert scheduler.state_dict().keys() == fresh.keys()
    scheduler.load_state_dict(fresh)


# torch's compositions


def rates_of(scheduler, steps=STEPS):
    rows = [present(scheduler.optimizer)]
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        rows.append(present(scheduler.optimizer))
        assert [lr for lr, _ in rows[-1]] == scheduler.get_last_lr()
    return rows


def in_a_row(module, kind, names, optimizer):
    members = [build(name, module, optimizer) for name in names]
    return kind(optimizer, members, milestones=[3])


@pytest.mark.parametrize("place", ["first", "second"])
@pytest.mark.parametrize("name", WITHOUT_METRIC)
def test_torchs_sequence_of_ours_has_the_rates_of_our_own(name, place):
    names = ["ConstantLR", name] if place == "second" else [name, "ConstantLR"]
    found = in_a_row(accepted, lr_scheduler.SequentialLR, names, torch_sgd())
    assert rates_of(found) == rates_of(in_a_row(plain, plain.SequentialLR, names, torch_sgd()))


@pytest.mark.parametrize("name", WITHOUT_METRIC)
def test_torchs_sequence_of_the_plain_class_fails_at_the_milestone(name):
    names = ["ConstantLR", name]
    scheduler = in_a_row(plain, lr_scheduler.SequentialLR, names, torch_sgd())
    scheduler.optimizer.step()
    scheduler.step()
    scheduler.step()
    with pytest.raises(AttributeError, match="_update_lr"):
        scheduler.step()


@at_any_time
def test_torchs_sequence_of_ours_resumes(at):
    def sequence():
        return in_a_row(accepted, lr_scheduler.SequentialLR, ["StepLR", "NoamLR"], torch_sgd())

    straight, before, after = rates_of(sequence()), sequence(), sequence()
    rates_of(before, at)
    saved = through_a_file([before.state_dict(), before.optimizer.state_dict()])
    after.load_state_dict(saved[0])
    after.optimizer.load_state_dict(saved[1])
    assert rates_of(after, STEPS - at) == straight[at:]


@pytest.mark.parametrize("name", WITHOUT_METRIC)
def test_torchs_chain_of_ours_has_the_rates_of_our_own(name):
    def chain(module, kind):
        optimizer = torch_sgd()
        return kind([build(name, module, optimizer), build("ExponentialLR", module, optimizer)])

    expected = rates_of(chain(plain, plain.ChainedScheduler))
    assert rates_of(chain(accepted, lr_scheduler.ChainedScheduler)) == expected


def test_torchs_sequence_may_mix_ours_and_its_own():
    optimizer = torch_sgd()
    members = [accepted.REXLR(optimizer, 10), lr_scheduler.StepLR(optimizer, 2)]
    optimizer.step()
    found = rates_of(lr_scheduler.SequentialLR(optimizer, members, milestones=[3]))
    optimizer = torch_sgd()
    members = [plain.REXLR(optimizer, 10), plain.StepLR(optimizer, 2)]
    assert found == rates_of(plain.SequentialLR(optimizer, members, milestones=[3]))


def test_our_compositions_take_them_and_plain_ones():
    optimizer = torch_sgd()
    members = [accepted.StepLR(optimizer, 2), plain.ExponentialLR(optimizer, 0.9)]
    found = rates_of(accepted.SequentialLR(optimizer, members, milestones=[3]))
    optimizer = torch_sgd()
    members = [plain.StepLR(optimizer, 2), plain.ExponentialLR(optimizer, 0.9)]
    assert found == rates_of(plain.SequentialLR(optimizer, members, milestones=[3]))


def test_a_warmup_hands_over_to_a_plateau():
    def rates(module):
        optimizer = torch_sgd()
        after = module.ReduceLROnPlateau(optimizer, patience=0)
        scheduler = module.GradualWarmupScheduler(optimizer, 4, 3, after)
        rows = []
        for metric in METRICS:
            optimizer.step()
            scheduler.step(metric)
            rows.append(present(optimizer))
        return rows

    assert rates(accepted) == rates(plain)


def test_torchs_compositions_see_that_a_plateau_needs_a_metric():
    optimizer = torch_sgd()
    members = [accepted.ConstantLR(optimizer), accepted.ReduceLROnPlateau(optimizer)]
    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        lr_scheduler.SequentialLR(optimizer, members, milestones=[3])
    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        lr_scheduler.ChainedScheduler(members)


def test_what_a_plateau_has_of_torchs_works():
    scheduler = accepted.ReduceLROnPlateau(torch_sgd(), patience=0, cooldown=2)
    scheduler.step(1.0)
    assert not scheduler.in_cooldown
    scheduler.step(1.0)
    assert scheduler.in_cooldown


def test_a_plateau_takes_no_notice_of_the_epoch_that_skorch_gives_it():
    """Skorch leaves it out for torch's very class alone."""
    told = accepted.ReduceLROnPlateau(torch_sgd(), factor=0.5, patience=1, cooldown=1, last_epoch=4)
    assert walk(WITH_METRIC, told) == walk(WITH_METRIC, build(WITH_METRIC, plain, torch_sgd()))


# a reader's own


def test_a_scheduler_of_ones_own_is_decorated():
    assert issubclass(Harmonic, lr_scheduler.LRScheduler)
    assert not issubclass(Harmonic, lr_scheduler.ReduceLROnPlateau)
    assert issubclass(Patient, lr_scheduler.ReduceLROnPlateau)
    for kind in (Harmonic, Patient, Shelf.Kept):
        assert pickle.loads(pickle.dumps(kind)) is kind
    assert Harmonic.curve(3).tolist() == [1, 1 / 2, 1 / 3]


def test_a_class_that_is_accepted_already_stays_as_it_is():
    class Sharper(accepted.StepLR):
        """A subclass of one of these."""

    assert accepted.for_frameworks(Sharper) is Sharper
    assert accepted.for_frameworks(accepted.StepLR) is accepted.StepLR


@pytest.mark.parametrize("kind", [lr_scheduler.StepLR, int, "StepLR"])
def test_only_a_class_of_scheduler_of_ours_is_made_one_for_frameworks(kind):
    with pytest.raises(TypeError, match="kind must be a class of scheduler of optim_scratch, got"):
        accepted.for_frameworks(kind)
