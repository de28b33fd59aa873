"""What wrappers share, and what is each one's own; the rest is tested beside."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import (
    EMA,
    LBFGS,
    SAM,
    SGD,
    SWA,
    Adam,
    GradientNoise,
    Lookahead,
    Wrapper,
)
from optim_scratch.schedulers import StepLR

KINDS = [Lookahead, SWA, EMA, SAM, GradientNoise]
every = pytest.mark.parametrize("kind", KINDS)


def slide(p):
    """A closure of ½‖p‖²."""

    def closure():
        p.grad = p.data.copy()
        return float(p.data @ p.data) / 2

    return closure


@every
@pytest.mark.parametrize(
    ("wrapped", "found"), [(SGD, "SGD"), (3, "int"), (None, "NoneType"), ("SGD", "str")]
)
def test_refuses_what_is_no_optimizer_of_ours(kind, wrapped, found):
    with pytest.raises(TypeError, match=f"optimizer must be one of ours, .* got {found}"):
        kind(wrapped)


@every
def test_refuses_torchs(kind):
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    with pytest.raises(TypeError, match=r"optimizer must be one of ours, .* got torch\.optim\.sgd"):
        kind(theirs)


@every
def test_a_scheduler_drives_the_wrapped_one_through_it(kind):
    p = Parameter([1.0])
    inner = SGD([p], lr=1.0)
    wrapper = kind(inner)
    scheduler = StepLR(wrapper, 1, 0.5)
    wrapper.step(slide(p))
    scheduler.step()
    assert inner.param_groups[0]["lr"] == 0.5
    assert wrapper.param_groups is inner.param_groups


@every
def test_wraps_a_wrapper(kind):
    p = Parameter([1.0, -1.0])
    both = Lookahead(kind(Adam([p], lr=0.1)), k=2)
    for _ in range(4):
        both.step(slide(p))
    saved = both.state_dict()
    q = Parameter(p.data)
    other = Lookahead(kind(Adam([q], lr=0.5)), k=3)
    other.load_state_dict(saved)
    for _ in range(3):
        both.step(slide(p))
        other.step(slide(q))
    assert np.array_equal(p.data, q.data)


@every
def test_a_bad_state_of_the_wrapped_one_changes_nothing(kind):
    p = Parameter([1.0])
    wrapper = kind(SGD([p], lr=0.1, momentum=0.9))
    wrapper.step(slide(p))
    saved, before = wrapper.state_dict(), repr(wrapper.state_dict())
    saved["wrapped"]["param_groups"][0]["lr"] = -1.0
    with pytest.raises(ValueError, match="lr must be finite and >= 0"):
        wrapper.load_state_dict(saved)
    assert repr(wrapper.state_dict()) == before


def test_averages_are_as_many_runs_as_the_wrapped_ones():
    rates = np.array([[0.1], [0.2]])
    surface = surfaces.ravine(5)
    many = descend(
        surface, lambda params: EMA(SGD(params, lr=rates), 0.5), 5, start=np.ones((2, 2))
    )
    for i, lr in enumerate([0.1, 0.2]):
        one = descend(
            surface, lambda params, lr: EMA(SGD(params, lr=lr), 0.5), 5, start=[1, 1], lr=lr
        )
        np.testing.assert_allclose(many.points[:, i], one.points, rtol=1e-13)


def test_lookahead_goes_forward_and_back():
    p = Parameter([0.0])
    lookahead = Lookahead(SGD([p], lr=1.0), k=3, alpha=0.25)
    seen = []
    for _ in range(6):
        p.grad = [-1.0]
        lookahead.step()
        seen.append((float(p.data[0]), float(lookahead.point(p)[0])))
    assert seen == [(1, 0), (2, 0), (0.75, 0.75), (1.75, 0.75), (2.75, 0.75), (1.5, 1.5)]


@pytest.mark.parametrize(
    ("choice", "buffer"),
    # the fast buffer after two steps of a gradient of 1: 1 · 0.5 + 1
    [("none", 1.5), ("reset", 0.0), ("pullback", 0.25 * 1.5)],
)
def test_lookaheads_momentum_stays_or_goes_back_too(choice, buffer):
    p = Parameter([0.0])
    inner = SGD([p], lr=1.0, momentum=0.5)
    lookahead = Lookahead(EMA(inner), k=2, alpha=0.25, pullback_momentum=choice)
    for _ in range(2):
        p.grad = [1.0]
        lookahead.step()
    assert inner.state[p]["momentum_buffer"] == buffer
    assert p.data == 0.25 * -2.5
    for _ in range(2):
        p.grad = [0.0]
        lookahead.step()
    slow = 0.375 + 0.25 * (0.375 / 4 - 0.375)  # it goes back to where it was, not to 0
    assert inner.state[p]["momentum_buffer"] == {"pullback": slow}.get(choice, buffer / 4)


@pytest.mark.parametrize("choice", ["reset", "pullback"])
def test_lookahead_refuses_to_change_a_momentum_that_there_is_not(choice):
    message = f"pullback_momentum must be 'none' around Adam, .* got '{choice}'"
    with pytest.raises(ValueError, match=message):
        Lookahead(Adam([Parameter([0.0])]), pullback_momentum=choice)
    with pytest.raises(ValueError, match=message):
        Lookahead(EMA(Adam([Parameter([0.0])])), pullback_momentum=choice)
    lookahead = Lookahead(Adam([Parameter([0.0])]))
    saved = lookahead.state_dict()
    saved["own"]["pullback_momentum"] = choice
    with pytest.raises(ValueError, match=message):
        lookahead.load_state_dict(saved)


def test_lookahead_leaves_a_parameter_without_gradient_where_it_is():
    p, still = Parameter([0.0]), Parameter([7.0])
    lookahead = Lookahead(SGD([p, still], momentum=0.9), k=1, pullback_momentum="pullback")
    p.grad = [1.0]
    lookahead.step()
    assert still.data == lookahead.point(still) == 7.0


def test_lookahead_descends():
    path = descend(surfaces.ravine(5), lambda params: Lookahead(SGD(params, lr=0.1)), 100)
    assert path.final_loss < 1e-2 * path.losses[0]
    assert np.array_equal(path.points[1:5], path.points[:1].repeat(4, axis=0))


def test_swa_is_the_mean_of_the_points_that_it_takes_in(rng):
    p = Parameter(np.zeros(2))
    swa = SWA(SGD([p], lr=1.0), start=3, every=2)
    points = []
    for t in range(1, 12):
        p.grad = rng.normal(size=2)
        swa.step()
        points.append(p.data.copy())
        if t < 5:
            assert np.array_equal(swa.point(p), p.data)
    np.testing.assert_allclose(swa.point(p), np.mean(points[4::2], axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", [SWA, EMA])
def test_a_parameter_that_comes_later_has_an_average_of_its_own_points(kind):
    p, late = Parameter([0.0]), Parameter([10.0])
    average = kind(SGD([p], lr=1.0))
    p.grad = [1.0]
    average.step()
    average.add_param_group({"params": late})
    assert average.point(late) == 10.0
    late.grad = [1.0]
    average.step()
    assert average.point(late) == late.data == 9.0


def test_ema_begins_with_the_first_point_and_forgets_it():
    p = Parameter([0.0])
    ema = EMA(SGD([p], lr=1.0), decay=0.5)
    p.grad = [-8.0]
    ema.step()
    assert ema.point(p) == 8.0
    for _ in range(3):
        p.grad = [0.0]
        p.data[...] = 0.0
        ema.step()
    assert ema.point(p) == 1.0


def test_sam_takes_its_second_gradient_at_the_edge_of_the_neighbourhood():
    p, q = Parameter([3.0]), Parameter([4.0])
    looks = []

    def closure():
        looks.append((p.data.copy(), q.data.copy()))
        p.grad, q.grad = p.data.copy(), q.data.copy()
        return 12.5

    SAM(SGD([p, q], lr=0.1), rho=1.0).step(closure)
    # the gradient is (3, 4), of norm 5
    np.testing.assert_allclose(np.concatenate(looks[1]), [3.6, 4.8], rtol=1e-9)
    np.testing.assert_allclose([p.data[0], q.data[0]], [3 - 0.36, 4 - 0.48], rtol=1e-9)


def test_adaptive_sam_measures_in_units_of_each_entry():
    p = Parameter([2.0, -1.0])
    looks = []

    def closure():
        looks.append(p.data.copy())
        p.grad = [1.0, 2.0]
        return 0.0

    SAM(SGD([p], lr=0.1), rho=0.5, adaptive=True).step(closure)
    # θ² g = (4, 2) over ‖|θ| g‖ = √8
    np.testing.assert_allclose(looks[1], np.array([2, -1]) + 0.5 * np.array([4, 2]) / 8**0.5)


def test_sam_wants_a_closure_and_comes_back_when_it_fails():
    p = Parameter([1.0])
    sam = SAM(SGD([p], lr=0.1), rho=0.5)
    with pytest.raises(TypeError, match="closure must be callable, as SAM looks twice, got None"):
        sam.step()

    def closure():
        if p.data != 1.0:
            raise RuntimeError("no loss here")
        p.grad = [1.0]
        return 1.0

    with pytest.raises(RuntimeError, match="no loss here"):
        sam.step(closure)
    assert p.data == 1.0


@pytest.mark.parametrize("factors", [[1.0, 1.0], [1e3, 1e3], [1e-2, 50.0]])
def test_adaptive_sam_sees_the_same_sharpness_in_other_units(factors):
    """Kwon et al. (2021): entries c times as large with gradients 1 / c, and the same loss."""
    c, losses = np.array(factors), []
    p = Parameter(c * np.array([2.0, -1.0]))

    def closure():
        theta = p.data / c
        p.grad = np.array([1.0, 4.0]) * theta / c
        losses.append(float(np.array([1.0, 4.0]) @ theta**2) / 2)
        return losses[-1]

    SAM(SGD([p], lr=0.0), rho=0.5, adaptive=True).step(closure)
    np.testing.assert_allclose(losses[0], 4.0)
    # θ² g = (8, −4) over ‖|θ| g‖ = √32
    climbed = np.array([2, -1]) + 0.5 * np.array([8, -4]) / 32**0.5
    np.testing.assert_allclose(losses[1], np.array([1.0, 4.0]) @ climbed**2 / 2, rtol=1e-9)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_with_a_parameter_that_has_no_gradient_leaves_it_where_it_is(adaptive):
    p, still = Parameter([3.0, 4.0]), Parameter([7.0])
    seen = []

    def closure():
        seen.append(still.data.copy())
        p.grad = p.data.copy()
        return 0.0

    SAM(SGD([p, still], lr=0.1), rho=1.0, adaptive=adaptive).step(closure)
    assert seen == [7.0, 7.0]


def test_sam_returns_the_first_loss_and_refuses_a_closure_that_returns_nothing():
    p = Parameter([1.0])
    sam = SAM(SGD([p], lr=0.1), rho=0.5)
    assert sam.step(slide(p)) == 0.5
    before = p.data.copy()
    with pytest.raises(TypeError, match="closure must return the loss, got None"):
        sam.step(lambda: setattr(p, "grad", p.data))
    assert p.data == before
    assert sam.steps_taken == 1


def test_sam_looks_downhill_where_it_climbs():
    p, q = Parameter([1.0, -2.0]), Parameter([1.0, -2.0])
    for adaptive in (False, True):
        down = SAM(SGD([p], lr=0.1), rho=0.5, adaptive=adaptive)
        up = SAM(SGD([q], lr=0.1, maximize=True), rho=0.5, adaptive=adaptive)

        def upside_down():
            q.grad = -q.data
            return -float(q.data @ q.data) / 2

        down.step(slide(p))
        up.step(upside_down)
        assert np.array_equal(p.data, q.data)


@pytest.mark.parametrize("size", [0.0, 1e4])
def test_sam_in_float16_goes_as_far_for_gradients_of_any_size(size):
    p = Parameter(np.ones(2, np.float16))
    looks = []

    def closure():
        looks.append(p.data.copy())
        p.grad = np.array([0.0, size])
        return 0.0

    SAM(SGD([p], lr=0.0), rho=0.5).step(closure)
    assert looks[1].tolist() == [1.0, 1.5 if size else 1.0]


def test_sam_refuses_arrays_in_the_wrapped_one_and_its_later_groups():
    with pytest.raises(ValueError, match="lr must be one number: SAM is not elementwise"):
        SAM(SGD([Parameter([0.0, 0.0])], lr=np.array([0.1, 0.2])))
    sam = SAM(SGD([Parameter([0.0, 0.0])]))
    with pytest.raises(ValueError, match="momentum must be one number: SAM is not elementwise"):
        sam.add_param_group({"params": Parameter([0.0, 0.0]), "momentum": np.array([0.1, 0.2])})


def test_sam_comes_to_rest_beside_the_minimum_and_not_in_it():
    p = Parameter([1.0])
    sam = SAM(SGD([p], lr=0.1), rho=0.5)
    for _ in range(200):
        sam.step(slide(p))
    # to and fro: θ − η (θ + ρ) = −θ, so θ = η ρ / (2 − η)
    np.testing.assert_allclose(abs(p.data), 0.1 * 0.5 / 1.9, rtol=1e-6)


def test_sam_descends():
    path = descend(surfaces.ravine(5), lambda params: SAM(SGD(params, lr=0.05)), 60)
    assert path.final_loss < 1e-2 * path.losses[0]


def test_what_needs_a_closure_is_passed_on():
    assert SAM(SGD([Parameter(0.0)])).needs_closure
    assert EMA(LBFGS([Parameter(0.0)])).needs_closure
    assert not EMA(SGD([Parameter(0.0)])).needs_closure
    assert not EMA(LBFGS([Parameter(0.0)])).elementwise


def test_the_base_adds_nothing_but_its_state():
    p = Parameter([1.0])
    wrapper = Wrapper(SGD([p], lr=0.1))
    wrapper.step(slide(p))
    assert p.data == 0.9
    assert wrapper.steps_taken == 1
