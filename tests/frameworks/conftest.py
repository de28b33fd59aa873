"""The frameworks have an environment of their own: `make frameworks` makes it and runs these."""

import copy
import warnings
from importlib import import_module
from importlib.util import find_spec

import pytest

FRAMEWORKS = ["accelerate", "ignite", "lightning", "skorch", "transformers"]
RATE = 0.1

if any(find_spec(name) is None for name in FRAMEWORKS):
    collect_ignore_glob = ["*.py"]
else:
    import torch
    from every_scheduler import STEPS, build, walk

    from optim_scratch import schedulers as plain

    with warnings.catch_warnings():  # of what they find deprecated in one another and in torch
        warnings.simplefilter("ignore")
        for name in [*FRAMEWORKS, "ignite.handlers", "lightning.pytorch"]:
            import_module(name)


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors on many threads wait more than they work."""
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def sgd():
    """Make torch's optimizer for a network, and a list that grows by the rate of each update."""

    def make(network):
        optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9)
        rates = []
        optimizer.register_step_pre_hook(
            lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
        )
        return optimizer, rates

    return make


@pytest.fixture
def expected(sgd):
    """The rates of the plain class, one for each update or epoch."""

    def rates(name, steps=STEPS):
        scheduler = build(name, plain, sgd(torch.nn.Linear(1, 1))[0])
        return [groups[0][0] for groups in walk(name, scheduler, steps=steps)[:steps]]

    return rates


@pytest.fixture
def state_after(sgd):
    """What the plain class saves after so many steps."""

    def state(name, steps):
        scheduler = build(name, plain, sgd(torch.nn.Linear(1, 1))[0])
        walk(name, scheduler, steps=steps)
        return copy.deepcopy(scheduler.state_dict())

    return state
