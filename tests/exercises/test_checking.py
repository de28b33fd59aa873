import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from optim_scratch.exercises import EXERCISES, check, load
from optim_scratch.exercises.checking import Exercise, function, number

load()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.name)


def verdict(capsys, name, answer):
    check(name, answer)
    return capsys.readouterr().out.strip()


def head(exercise):
    return f"Exercise {exercise.number} ({exercise.name})"


@every
def test_the_solution_passes(exercise: Exercise, capsys):
    assert verdict(capsys, exercise.name, exercise.solution) == f"{head(exercise)}: correct"


@every
def test_wrong_answers_do_not(exercise: Exercise, capsys):
    assert len(exercise.wrong) >= 3
    for answer in exercise.wrong:
        said = verdict(capsys, exercise.name, answer)
        assert said.startswith(f"{head(exercise)}: not yet. "), answer


@every
@pytest.mark.parametrize("answer", [object(), "answer", [], [[1], [1, 2]], lambda: None, np.nan])
def test_nonsense_does_not(exercise: Exercise, answer, capsys):
    assert "not yet" in verdict(capsys, exercise.name, answer)


@every
@pytest.mark.parametrize("answer", [None, ...])
def test_no_answer_is_no_mistake(exercise: Exercise, answer, capsys):
    assert verdict(capsys, exercise.name, answer) == f"{head(exercise)}: no answer yet"


def test_an_unknown_exercise_gets_the_nearest():
    with pytest.raises(ValueError, match=r"got 'gradient-descend.limit'; near: gradient-descent"):
        check("gradient-descend.limit", 1)


def double(x):
    return 2 * x


def twice_in_place(x):
    x *= 2
    return x


JUDGE = function(double, lambda rng: [(rng.normal(size=3),), (1.5,)], "Hint.")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x + x, ""),
        (lambda x: list(x + x) if np.ndim(x) else x + x, ""),
        (lambda x: x**2, "expected"),
        (lambda x: float(np.sum(x)), "expected an array of shape (3,)"),
        (lambda x: None, "it returned None: does every path end in a return?"),
        (lambda: 1, "it could not be called: TypeError: "),
        (twice_in_place, "changed its argument in place"),
        (2.0, "must be a function, got 2."),
    ],
)
def test_judge_of_functions(answer, said):
    verdict = JUDGE(answer)
    assert (said in verdict) if said else verdict == ""
    assert ("Hint." in verdict) == (said == "expected"), "a mistake of form is told by itself"


@pytest.mark.parametrize(
    "answer", [0.25, np.float32(0.25), 0.25001, np.array(0.25), Fraction(1, 4)]
)
def test_judge_of_numbers_admits(answer):
    assert number(0.25)(answer) == ""


@pytest.mark.parametrize("answer", [0.67, 0.669])
def test_a_number_that_is_rounded_too_far_is_told_so(answer):
    judge = number(0.66942, "Hint.", rtol=1e-4)
    assert judge(answer) == f"{answer} is rounded too far: give more digits."
    assert judge(0.66) == "0.66 is not it. Hint."


@pytest.mark.parametrize("answer", [0.2, np.nan, np.inf, [0.25], "0.25", True, 0.25j])
def test_judge_of_numbers_refuses(answer):
    assert number(0.25, "Hint.")(answer)


def test_a_chapters_exercises_are_loaded_when_one_is_asked_for():
    code = (
        "import sys, optim_scratch\n"
        "head = 'optim_scratch.exercises.'\n"
        "loaded = lambda: sorted(m for m in sys.modules if m.startswith(head))\n"
        "print(loaded())\n"
        "optim_scratch.exercises.check('gradient-descent.limit', 0.1)\n"
        "print(loaded())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "['optim_scratch.exercises.checking', 'optim_scratch.exercises.telling']",
        "Exercise 1 (gradient-descent.limit): correct",
        "['optim_scratch.exercises.checking', 'optim_scratch.exercises.gradient_descent', "
        "'optim_scratch.exercises.telling']",
    ]
