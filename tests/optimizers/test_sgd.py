"""What is SGD's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD

pytestmark = pytest.mark.usefixtures("float64")


def test_first_gradient_enters_undamped():
    p = Parameter([0.0])
    sgd = SGD([p], lr=1.0, momentum=0.5, dampening=0.5)
    p.grad = np.ones(1)
    sgd.step()
    sgd.step()
    # b₁ = 1, b₂ = ½·1 + ½·1 = 1
    assert p.data == -2.0


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("shape", [(5, 1), (5, 2)])
def test_arrays_of_hyper_parameters_are_runs_of_their_own(shape, nesterov, rng):
    arrays = {
        "lr": rng.uniform(0.01, 0.1, shape),
        "momentum": rng.uniform(0.1, 0.9, shape),
        "weight_decay": rng.uniform(0, 0.1, shape),
        "dampening": 0.0 if nesterov else rng.uniform(0, 1, shape),
    }
    if not nesterov:
        arrays["momentum"][1] = 0.0
    start, gradients = rng.normal(size=(5, 2)), rng.normal(size=(50, 5, 2))
    together = Parameter(start)
    many = SGD([together], **arrays, nesterov=nesterov)
    for gradient in gradients:
        together.grad = gradient
        many.step()
    for index in np.ndindex(5, 2):
        single = Parameter(start[index])
        chosen = {k: float(np.broadcast_to(v, (5, 2))[index]) for k, v in arrays.items()}
        one = SGD([single], **chosen, nesterov=nesterov)
        for gradient in gradients:
            single.grad = gradient[index]
            one.step()
        assert single.data == pytest.approx(together.data[index], rel=1e-13)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"nesterov": True}, ValueError, "nesterov=True needs momentum > 0"),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            ValueError,
            r"nesterov=True needs .* dampening 0, got momentum 0\.9 and dampening 0\.1",
        ),
        (
            {"nesterov": True, "momentum": np.array([0.9, 0.0])},
            ValueError,
            "nesterov=True needs momentum > 0",
        ),
    ],
    ids=str,
)
def test_nesterov_wants_momentum_alone(options, error, message):
    with pytest.raises(error, match=message):
        SGD([Parameter([0.0, 0.0])], **options)
