import numpy as np
import pytest
from methods import members, optimizers, stepped

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.saving import from_json, to_json
from optim_scratch.schedulers import MultiStepLR, ReduceLROnPlateau, StepLR


@pytest.mark.parametrize("method", optimizers(), ids=lambda method: method.name)
def test_a_state_goes_through_json_to_the_last_digit(method):
    optimizer, other = stepped(method), stepped(method, 1)
    other.load_state_dict(from_json(to_json(optimizer.state_dict())))
    assert repr(other.state_dict()) == repr(optimizer.state_dict())
    assert members(other)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 2)])
def test_arrays_keep_dtype_shape_and_digits(dtype, shape, rng):
    array = rng.normal(size=shape).astype(dtype)
    back = from_json(to_json({"a": (array, [array])}))["a"]
    assert [type(back), type(back[1])] == [tuple, list]
    for found in (back[0], back[1][0]):
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert np.array_equal(found, array)


def test_infinities_and_nan_stay():
    back = from_json(to_json([np.inf, np.array([np.nan, -np.inf])]))
    assert back[0] == np.inf
    assert repr(back[1]) == repr(np.array([np.nan, -np.inf]))


@pytest.mark.parametrize(
    "make",
    [
        lambda sgd: StepLR(sgd, 2, 0.5),
        lambda sgd: MultiStepLR(sgd, [1, 3]),
        ReduceLROnPlateau,
    ],
)
@pytest.mark.parametrize("lr", [0.1, np.array([0.1, 0.2])])
def test_schedulers_states_too(make, lr):
    made = [make(SGD([Parameter([0.0, 0.0])], lr=lr)) for _ in range(2)]
    made[1].load_state_dict(from_json(to_json(made[0].state_dict())))
    assert repr(made[1].state_dict()) == repr(made[0].state_dict())


def test_refuses_what_is_no_state():
    with pytest.raises(TypeError, match="state must hold numbers, arrays and containers"):
        to_json({"a": Adam([Parameter(0.0)])})
    with pytest.raises(ValueError, match="Expecting value"):
        from_json("no JSON")
