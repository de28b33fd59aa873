"""What the chapter on accumulation and clipping claims."""

import numpy as np
import pytest

from optim_scratch import Parameter
from optim_scratch.exercises import check
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import NoisyQuadratic, SpiralMLP
from optim_scratch.schedulers import WarmupLinearSchedule
from optim_scratch.training import clip_grad_norm_, clip_grad_value_


@pytest.mark.parametrize("sizes", [(16, 16, 16, 1), (4, 4, 4), (10, 20, 40, 1000)])
def test_a_mean_of_means_is_worth_fewer_examples(sizes):
    rng, k = np.random.default_rng(0), len(sizes)
    means = [rng.standard_normal((4000, n)).mean(axis=1) for n in sizes]
    worth = k**2 / np.sum(1 / np.array(sizes))
    assert 1 / np.var(np.mean(means, axis=0)) == pytest.approx(worth, rel=0.1)


def test_the_three_plans():
    ends = [WarmupLinearSchedule.curve(2940, warmup_steps=w, t_total=t)[-1]
            for w, t in ((100, 2940), (9, 98), (100, 11_730))]  # fmt: skip
    assert ends == pytest.approx([1 / 2840, 0, 1 - 2839 / 11_630])


def test_clipping_by_value_turns_towards_the_signs():
    rng = np.random.default_rng(0)
    w = Parameter(np.zeros(100_000))
    g = rng.standard_normal(w.shape)
    w.grad = g
    clip_grad_value_(w, 1e-4)
    cosine = w.grad @ g / np.linalg.norm(w.grad) / np.linalg.norm(g)
    assert cosine == pytest.approx(np.abs(g).sum() / np.sqrt(w.data.size) / np.linalg.norm(g), 1e-3)
    assert np.rad2deg(np.arccos(cosine)) == pytest.approx(37.07, abs=0.2)


def train(optimizer, max_norm, steps=200, **hyper):
    problem = SpiralMLP(points=61, batch_size=16, seed=3)
    w = Parameter(problem.start)
    mover = optimizer([w], **hyper)
    for _ in range(steps):
        w.grad = problem.gradient(w.data)
        assert clip_grad_norm_(w, max_norm) > max_norm
        mover.step()
    return w.data


def test_a_clip_that_always_acts_cancels_under_adam_and_not_under_sgd():
    paths = [train(Adam, c, lr=1e-3, eps=1e-15) for c in (1e-3, 1e-5)]
    np.testing.assert_allclose(*paths, rtol=0, atol=1e-6)
    far = [train(SGD, c, lr=0.1, momentum=0.9) for c in (1e-3, 1e-5)]
    assert np.abs(far[0] - far[1]).max() > 0.01


@pytest.mark.parametrize("ratio", [100, 1000])
def test_adam_is_at_half_speed_when_the_formula_says(ratio):
    w = Parameter([0.0])
    adam = Adam([w], lr=1e-3)
    slow, count = np.log(1e-3 * ratio**2 / 3) / -np.log(0.999), 10_000
    speeds = np.zeros(count + 7000)
    for t in range(len(speeds)):
        w.grad = [ratio if t == count else 1.0]
        before = w.data[0]
        adam.step()
        speeds[t] = (before - w.data[0]) / 1e-3
    below = np.flatnonzero(speeds < 0.5)
    assert below[-1] - count == pytest.approx(slow, abs=3)
    assert speeds.max() == pytest.approx(0.1 / np.sqrt(1e-3), rel=0.05)


def test_all_echoes_of_a_wild_gradient_together_move_adam_by_the_rate_over_a_root():
    w = Parameter([0.0])
    adam = Adam([w], lr=1.0)
    for t in range(20_200):
        w.grad = [1e12 if t == 20_000 else 0.0]
        adam.step()
    # v decays meanwhile by a fraction of a percent per step
    assert -w.data[0] == pytest.approx(1 / np.sqrt(1e-3), rel=0.01)


def test_clipping_parts_is_biased():
    parts = np.repeat([-1.0, 10.0], [90, 10])
    assert parts.mean() > 0 > np.clip(parts, -1, 1).mean()


def thrown(lr, max_norm=np.inf, starts=8):
    """The share of starts that one step throws further than 1, in the valley with a cliff."""
    sides = np.linspace(4.5, 6.5, starts), np.linspace(-2.6, -2.2, starts)
    theta = np.stack(np.meshgrid(*sides), axis=-1)
    longest = np.zeros(theta.shape[:-1])
    for _ in range(round(150 / lr)):
        (w, b), x, slopes = np.moveaxis(theta, -1, 0), np.full(theta.shape[:-1], 0.5), 0.0
        for _ in range(50):
            before, x = x, 1 / (1 + np.exp(-w * x - b))
            inner = np.stack([before, np.ones_like(x)], axis=-1) + w[..., None] * slopes
            slopes = (x * (1 - x))[..., None] * inner
        g = 2 * (x - 0.7)[..., None] * slopes
        norm = np.linalg.norm(g, axis=-1)
        step = lr * np.minimum(1, max_norm / norm)
        longest = np.maximum(longest, step * norm)
        theta = theta - step[..., None] * g
    return np.mean(longest > 1)


def test_at_the_cliff_a_smaller_rate_is_no_clip():
    usual, smaller = thrown(0.5), thrown(0.1)
    assert smaller > usual + 0.1 > 0.6
    assert thrown(0.5, max_norm=0.2) == 0


def test_epsilon_limits_how_far_a_clip_cancels():
    losses = [SpiralMLP(points=61).value(train(Adam, c, 300, lr=1e-3)) for c in (1e-3, 1e-7)]
    assert losses[1] > 1.5 * losses[0]


def test_the_boxed_number_of_slow_steps_passes_the_exercise(capsys):
    check(
        "accumulation-and-clipping.slow",
        lambda ratio, beta2: max(0.0, np.log((1 - beta2) * ratio**2 / 3) / (1 - beta2)),
    )
    assert capsys.readouterr().out.endswith(": correct\n")


def test_on_a_bowl_a_wild_gradient_throws_sgd_once():
    bowl = NoisyQuadratic([1.0], 0.0)
    w = Parameter(bowl.start)
    sgd = SGD([w], lr=0.1)
    for t in range(200):
        w.grad = bowl.gradient(w.data) * (1000 if t == 10 else 1)
        sgd.step()
    assert abs(w.data[0]) < 1e-5
