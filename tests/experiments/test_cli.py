import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict

import pytest

from optim_scratch.experiments import (
    cli,
    data,
    endings,
    files,
    identity,
    progress,
    recipes,
    results,
    settings,
    train,
)
from optim_scratch.experiments.places import Place
from optim_scratch.experiments.progress import Watcher

MODULE = "optim_scratch.experiments"
TRIAL = ["run", "step", "--data", "synthetic:128", "--epochs", "6", "--threads", "1"]


def start(home, *words):
    """The command as a process of its own, in the project folder `home`."""
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, *words],
        env={**os.environ, "OPTIM_LAB_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a background job of a shell ignores Ctrl-C, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def a_full_device(prefix, suffix, dir):
    """A file that no byte can be written to."""
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    return os.open("/dev/full", os.O_WRONLY), str(dir / f"{prefix}{suffix}")


def the_record(home):
    return results.load(home / ".runs" / "results" / "article-003" / "step-seed0.json")


def test_list(capsys):
    assert cli.main(["list"]) == 0
    out = capsys.readouterr().out
    schedule = r"StepLR\(step_size=16, gamma=0.2\) at the end of 30 epochs"
    assert re.search(rf"^step +lr 0\.01, {schedule}$", out, re.MULTILINE)
    firsts = out.splitlines()[::2]
    assert len({line.index(" lr ") for line in firsts}) == 1, "the names take one column"
    nested = "after_scheduler=StepLR(step_size=10, gamma=0.2)) at the start of 30 epochs"
    assert f"GradualWarmupScheduler(multiplier=40, total_epoch=5, {nested}" in out
    assert "article-003 reports: test jumps from 77 to 81 % at epoch 16" in out


def test_run_then_show(home, capsys):
    words = ["run", "constant", "step", "--data", "synthetic:150", "--epochs", "1", "--seeds", "2"]
    assert cli.main([*words, "--threads", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("epoch 1/1") == 4
    folder = home / ".runs" / "results"
    written = sorted(path.name for path in (folder / "article-003").iterdir())
    assert written == [f"{name}-seed{k}.json" for name in ("constant", "step") for k in (0, 1)]
    assert not list((home / ".runs" / "article-003").iterdir()), "no checkpoint is left"
    assert not (home / "results").exists(), "a trial does not touch the records of whole runs"

    assert cli.main(["show", "article-003", "--results", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "constant seed 1 synthetic            1" in shown
    assert len({len(line) for line in shown.splitlines()[1:]}) == 1, "a table of columns"
    assert shown.startswith("article-003 (trials)\n")
    for suite in (["--results", str(folder)], [], ["article-003"]):
        assert cli.main(["show", *suite]) == 0
        assert shown in capsys.readouterr().out
    assert cli.main(["show", "article-999"]) == 2
    assert "'article-999' has no records; there are: article-003" in capsys.readouterr().err

    assert cli.main([*words, "--threads", "1"]) == 0
    assert capsys.readouterr().out.count("is complete already") == 4
    assert cli.main(["run", "step", *words[3:7], "--threads", "1", "--ours"]) == 0
    assert capsys.readouterr().out.startswith("step-ours seed 0 synthetic ")
    assert cli.main(["run", "step", *words[3:7], "--threads", "1", "--fresh"]) == 0
    assert "epoch 1/1" in capsys.readouterr().err


def test_a_record_of_another_run_is_not_replaced_unasked(home, tmp_path, capsys):
    words = ["run", "step", "--data", "synthetic:128", "--epochs", "1", "--threads", "1"]
    words += ["--results", str(tmp_path)]
    path = tmp_path / "article-003" / "step-seed0.json"
    assert cli.main(words) == 0
    before = path.read_bytes()
    capsys.readouterr()
    words[3] = "synthetic:130"
    assert cli.main(words) == 0
    out, err = capsys.readouterr()
    assert re.match(
        r"step-seed0.json is there already, of another run \(checksum [0-9a-f]{12}…, "
        r"not [0-9a-f]{12}…\); --results DIR keeps both",
        out,
    )
    assert err == ""
    assert path.read_bytes() == before
    assert cli.main([*words, "--fresh"]) == 0
    assert path.read_bytes() != before


def test_whole_recipes_on_real_images_go_to_the_committed_records(
    home, tmp_path, folder_files, monkeypatch
):
    for name, content in folder_files.items():
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    chosen = []
    monkeypatch.setattr(cli, "_run_one", lambda *arguments: chosen.append(arguments))
    words = ["run", "step", "--data", str(tmp_path / "images"), "--threads", "1"]
    assert cli.main([*words, "--seed", "3"]) == 0
    assert cli.main([*words, "--epochs", "2"]) == 0
    assert cli.main([*words, "--ours"]) == 0
    assert [(seed, place.folder) for _, seed, _, _, place in chosen] == [
        (3, None),
        (0, files.runs_folder() / "results"),
        (0, files.runs_folder() / "results"),
    ]
    assert [(recipe.name, recipe.library) for recipe, *_ in chosen] == [
        ("step", "torch"),
        ("step", "torch"),
        ("step-ours", "optim_scratch"),
    ]
    assert files.results_folder() == home / "results"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "multistp"], "no recipe is called 'multistp'; the nearest are: multistep"),
        (
            ["run", "step", "--data", "/no/where"],
            "'/no/where' does not exist; there are three ways",
        ),
        (["run", "step", "--data", "synthetic:20"], "batch_size must be at most the 20 training"),
        (["run", "step", "--precision", "int3"], "precision must be one of 'float32', 'bfloat16'"),
        (["run", "step", "--device", "abacus"], "device 'abacus' cannot be used"),
        (["run", "step", "--threads", "0"], "threads must be >= 1, got 0"),
        (["run", "step", "--epochs", "0"], "epochs must be >= 1, got 0"),
        (["run", "step", "--seeds", "0"], "seeds must be at least 1, got 0"),
        (["run", "step", "--seed", "-1", "--data", "/no/where"], "seed must be >= 0, got -1"),
        (
            ["run", "step", "--data", "/no/where", "--results", "/dev/null"],
            "cannot write to the folder /dev/null/article-003: Not a directory",
        ),
        (["run", "step", "--data", "\x1b[2J"], r"data '\x1b[2J' does not exist"),
        (["show", "--results", "nowhere"], "there are no records yet"),
        (["show", "article-999"], "suite 'article-999' has no records; there are: article-003,"),
        (["run", "step", "--threads", "99999"], ", got 99999"),
        (["run", "step", "--device", "meta"], "device 'meta' cannot be used"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_one_line(words, message, capsys):
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    line, rest = err.split("\n")
    assert line.startswith("optim-lab: ")
    assert message in line
    assert rest == ""
    assert out == ""


def test_what_is_not_installed_is_named_as_pip_knows_it(monkeypatch, capsys):
    for module in ("PIL", "tqdm"):
        monkeypatch.setitem(sys.modules, module, None)
    assert cli.main(TRIAL) == 2
    wanted = "optim-lab: running needs what is not installed: pip install tqdm pillow\n"
    assert capsys.readouterr().err == wanted


@pytest.mark.parametrize("stage", ["write", "fsync"])
def test_a_full_disk_is_one_line_and_leaves_nothing(home, monkeypatch, capsys, stage):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    if stage == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(files.tempfile, "mkstemp", a_full_device)
    assert cli.main(TRIAL) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r"No space left on device: '.*/\.runs/.*step-seed0-\w+\.pt'$", last)
    assert [path for path in home.rglob("*") if path.is_file()] == []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    home = tmp_path_factory.mktemp("whole")
    process = start(home, *TRIAL)
    assert process.communicate(timeout=120)[0].startswith("step seed 0")
    return the_record(home)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_run_goes_on_after_a_blow(home, capsys, uninterrupted, without_times, blow):
    process = start(home, *TRIAL)
    assert process.stderr.readline() == "step seed 0: begins, 6 epochs of 128 images\n"
    assert "epoch 1/6" in process.stderr.readline()
    process.send_signal(blow)
    _, err = process.communicate(timeout=60)
    if blow != signal.SIGKILL:
        assert process.returncode == 130
        assert err.splitlines()[-1].startswith("optim-lab: interrupted; `optim-lab run step --data")
        assert "Traceback" not in err
    assert not (home / ".runs" / "results").exists()
    assert len(list((home / ".runs" / "article-003").glob("step-seed0-*.pt"))) == 1

    assert cli.main(TRIAL) == 0
    assert "goes on after epoch" in capsys.readouterr().err
    assert without_times(the_record(home)) == without_times(uninterrupted)


class Interrupted(Watcher):
    """Ctrl-C in an epoch of the run with one seed."""

    def __init__(self, title, epoch, seed):
        self.title, self.at = title, (epoch, f"step seed {seed}")

    def batch(self, epoch, images, lr, loss, accuracy):
        if (epoch, self.title) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("epoch", "seed"), [(1, 0), (2, 0), (1, 1)])
def test_an_interrupted_fresh_run_goes_on_and_loses_nothing(home, capsys, monkeypatch, epoch, seed):
    words = ["run", "step", "--data", "synthetic:128", "--epochs", "2", "--threads", "1"]
    words += ["--seeds", "2"]
    assert cli.main(words) == 0
    before = results.suites(home / ".runs" / "results")
    with monkeypatch.context() as patch:
        patch.setattr(progress, "watcher", lambda title: Interrupted(title, epoch, seed))
        assert cli.main([*words, "--fres"]) == 130
    suggested = re.search("`optim-lab (.*)` goes on", capsys.readouterr().err)[1]
    assert suggested == " ".join(words)
    assert results.suites(home / ".runs" / "results") == before, "the old records are still there"

    assert cli.main(suggested.split()) == 0
    out, err = capsys.readouterr()
    assert len(re.findall("^step seed", out, re.M)) == 2 - seed, "which have not been run afresh"
    assert out.count("is complete already") == seed
    assert err.count("goes on after epoch 1") == (epoch == 2)
    assert list((home / ".runs" / "article-003").iterdir()) == []
    assert cli.main(suggested.split()) == 0
    assert capsys.readouterr().out.count("is complete already") == 2


def test_a_fresh_run_that_has_not_begun_is_still_to_be_fresh(monkeypatch, capsys):
    monkeypatch.setattr(data, "load", killing(signal.SIGINT))
    assert cli.main([*TRIAL, "--fresh"]) == 130
    assert capsys.readouterr().err.endswith("--threads 1 --fresh` goes on\n")


def test_a_run_killed_as_its_record_is_written_leaves_nothing(home, capsys):
    words = [*TRIAL[:4], "--epochs", "1", "--threads", "1"]
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Place, "clear", lambda place: kept.append(place.checkpoint))
        assert cli.main(words) == 0
    assert kept[0].exists()
    assert cli.main(words) == 0
    assert "is complete already" in capsys.readouterr().out
    assert not kept[0].exists()


def killing(number):
    """Stands for `train.train`, in which a signal arrives."""
    return lambda *_: (os.kill(os.getpid(), number), time.sleep(60))


@pytest.mark.parametrize("name", endings.NAMES)
def test_a_signal_ends_a_run_with_a_message(capsys, monkeypatch, name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    monkeypatch.setattr(train, "train", killing(number))
    assert cli.main(TRIAL) == 128 + number
    how = {"SIGINT": "interrupted"}.get(name, f"ended by {name}")
    again = " ".join(["optim-lab", *TRIAL])
    assert capsys.readouterr().err == f"\noptim-lab: {how}; `{again}` goes on\n"
    assert signal.getsignal(number) == before


def test_a_signal_whose_exception_is_lost_ends_a_run_all_the_same(monkeypatch, capsys):
    load = data.load

    def swallowing(source):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        except KeyboardInterrupt:
            return load(source)

    monkeypatch.setattr(data, "load", swallowing)
    monkeypatch.setattr(train, "train", lambda *_: pytest.fail("it was trained"))
    assert cli.main(TRIAL) == 130


def test_ctrl_c_while_the_package_is_imported_leaves_no_trace():
    code = """
import os, signal, sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Hook())
signal.signal(signal.SIGINT, signal.default_int_handler)
import optim_lab
optim_lab.main()
"""
    done = subprocess.run([sys.executable, "-c", code, "list"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def a_broken_pipe():
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def run_with(home, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    done = subprocess.run(
        [sys.executable, "-m", "optim_lab", *words],
        env={**os.environ, "OPTIM_LAB_HOME": str(home)}, stdout=stdout, stderr=stderr, text=True,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_reader_who_has_had_enough_hears_no_complaint(home):
    assert run_with(home, "list", stdout=a_broken_pipe()) == (128 + signal.SIGPIPE, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_list_that_is_not_written_is_an_error(home):
    with open("/dev/full", "w") as full:
        code, err = run_with(home, "list", stdout=full)
    assert (code, err) == (2, "optim-lab: [Errno 28] No space left on device\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_closed_pipe_and_a_full_log_stop_no_training(home):
    words = [*TRIAL[:4], "--epochs", "1", "--threads", "1"]
    with open("/dev/full", "w") as full:
        assert run_with(home, *words, stdout=a_broken_pipe(), stderr=full)[0] == 0
    assert len(the_record(home)["epochs"]) == 1


def test_what_killed_runs_left_is_swept(home, monkeypatch, capsys):
    left = [".data/.0a.npz.abcdefgh.part", ".runs/article-003/.step-seed0-0.pt.abcdefgh.part"]
    left += [".runs/results/article-003/.step-seed0.json.abcdefgh.part"]
    others = [".data/.notes.part", ".data/.0b.npz.abcdefgh.part"]
    for name in left + others:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
        if name != others[1]:
            os.utime(home / name, (0, 0))
    old = home / ".runs/article-003/step-seed3-0123456789.pt"
    old.write_bytes(b"of an older layout")
    os.utime(old, (0, 0))
    monkeypatch.setattr(train, "train", killing(signal.SIGINT))
    assert cli.main(TRIAL) == 130
    there = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert there == set(others)


def test_a_long_silence_is_broken(monkeypatch, capsys):
    monkeypatch.setattr(cli, "PATIENCE", 0.01)
    monkeypatch.setattr(data, "load", lambda source: time.sleep(0.3))
    monkeypatch.setattr(cli, "_chosen", lambda options: [])
    assert cli.main(TRIAL) == 0
    assert capsys.readouterr().err == "optim-lab: reading the images of synthetic:128\n"


FOREIGN = [None, "", "x", "\x1b[2J\ud800", "../x", [], {}, [[]], True, -1, 0.5, 10**400]
FOREIGN += [float("nan"), float("inf"), {"x": 1}]


def spots(value, path=()):
    """The places of a record in which there could be something else."""
    yield path
    if isinstance(value, list):
        value = dict(enumerate(value[:1]))
    for key, each in value.items() if isinstance(value, dict) else ():
        yield from spots(each, (*path, key))


def spoilt(record, path, value):
    """A copy of the record with another value in a place; an ellipsis takes the place away."""
    record = copy.deepcopy(record)
    inner = record
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return record


def test_a_record_of_whatever_is_an_error_of_one_line(home, tmp_path, a_record, capsys):
    """Whatever stands in a record: it is shown and compared, or refused, and leaves no trace."""
    record = a_record()
    record["diverged"] = {"epoch": 3, "step": 7}
    recipe = results.through_json(asdict(recipes.find("step")))
    record["recipe"] = {**recipe, "epochs": len(record["epochs"])}
    run = {"checksum": "1", "torch": "2", "optim_scratch": "3"}
    run |= {key: record[key] for key in ("recipe", "seed", "settings")}
    file = tmp_path / "article-003" / "step-seed0.json"
    file.parent.mkdir()
    shown = refused = 0
    for path in spots(record):
        for value in [..., *FOREIGN] if path else FOREIGN:
            one = spoilt(record, path, value) if path else value
            file.write_text(json.dumps(one))
            code = cli.main(["show", "--results", str(tmp_path)])
            out, err = capsys.readouterr()
            assert (code, err.count("\n")) in ((0, 0), (2, 1)), (path, value)
            assert all(line.isprintable() for line in (out + err).splitlines()), (path, value)
            if code == 0:
                identity.differences(results.load(file), run)
            shown, refused = shown + (code == 0), refused + (code == 2)
    assert shown > 100, "of a recipe's arguments, say, anything may be recorded"
    assert refused > 500


@pytest.mark.parametrize("text", ["[" * 100_000, '{"seed": ' + "9" * 5000 + "}", "\ud800"])
def test_what_is_no_json_is_an_error_of_one_line(home, tmp_path, capsys, text):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "\x1b[2J.json").write_text(text, errors="surrogatepass")
    assert cli.main(["show", "--results", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(r"optim-lab: \x1b[2J.json is not JSON: ")
    assert (out, err.count("\n")) == ("", 1)


@pytest.mark.parametrize("native", [True, False])
def test_the_precision_that_is_taken_is_recorded_and_a_slow_one_is_told(
    home, monkeypatch, capsys, native
):
    monkeypatch.setattr(settings, "has_bfloat16", lambda device: native)
    taken = []
    monkeypatch.setattr(cli, "_run_one", lambda *arguments: taken.append(arguments[3]))
    for precision in ("auto", "bfloat16", "float32"):
        assert cli.main([*TRIAL, "--precision", precision]) == 0
    fastest = "bfloat16" if native else "float32"
    assert [each.precision for each in taken] == [fastest, "bfloat16", "float32"]
    slow = "optim-lab: device 'cpu' has no bfloat16 of its own and emulates it, many times slower: "
    slow += "--precision float32 is the faster choice here, and auto takes it\n"
    assert capsys.readouterr().err == ("" if native else slow)
