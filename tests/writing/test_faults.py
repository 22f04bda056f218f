"""Whatever breaks a run off, files are whole, nothing is lost, and the next run ends what this one began."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.config.config import Config, ExistingBranch
from migrator.git.branch import Checkout
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import Change
from migrator.model.results import Mode, RepoResult
from migrator.writing import undo_log
from tests import program
from tests.conftest import MakeRepo, Repo, needed
from tests.writing.killed import run_as, run_disturbed, run_killed

PROVIDER = 'provider "aws" {\n  profile = "webshop"\n}\n'
FILES: dict[str, str | bytes] = {"app/main.tf": PROVIDER, "app/variables.tf": "", "net/main.tf": PROVIDER}
"""``net/variables.tf`` is a file that the migration makes."""

NOBODY = 65534
CHANGED = ("app/main.tf", "app/variables.tf", "net/main.tf", "net/variables.tf")


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "migrator", *map(str, arguments)]


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a folder but git's own."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def strays(root: Path) -> list[str]:
    """What this program or git could have left lying about."""
    names = ("tf-oidc-migrate", "fast_import", "tmp_", ".lock")
    found = (path for path in root.rglob("*") if any(name in path.name for name in names))
    return [str(path.relative_to(root)) for path in found]


def untouched(repo: Repo) -> tuple[str, ...]:
    """Everything that a refused run must leave as it was."""
    git = (("branch", "--all", "-v"), ("rev-parse", "HEAD"), ("status", "--porcelain"), ("ls-files", "-v", "--stage"))
    return (
        repo.branch(),
        *(repo.git(*arguments) for arguments in git),
        repr(contents(repo.root)),
        repr(strays(repo.root)),
    )


# --- killed ---------------------------------------------------------------------------------------------------------


def prepared(make_repo: MakeRepo, name: str) -> tuple[Repo, Config]:
    """A repository, and what is to be done to it."""
    repo = make_repo(FILES, name=name)
    if name == "folder":
        shutil.rmtree(repo.root / ".git")
        return repo, Config(mode=Mode.IN_PLACE)
    if name == "special":
        repo.git("branch", "spacelift-oidc")
        repo.git("commit", "--quiet", "--allow-empty", "--message=later")
        repo.git("checkout", "--quiet", "--detach")
        repo.git("update-index", "--skip-worktree", "app/main.tf")
        return repo, Config(on_existing_branch=ExistingBranch.REPLACE)
    if name == "signed":
        key = repo.root.parent / "key"
        subprocess.run([needed("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        for setting, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("commit.gpgSign", "true")):
            repo.git("config", setting, value)
    return repo, Config(switch=name != "signed")


@pytest.mark.parametrize("name", ["switch", "special", "signed", "folder"])
def test_killed_before_every_operation(make_repo: MakeRepo, name: str) -> None:
    """Whole old or whole new files whenever that is; and the next run finishes the job, as if it were the first."""
    repo, config = prepared(make_repo, name)
    old, flags = contents(repo.root), "" if name == "folder" else repo.git("ls-files", "-v")
    new = done(copied(repo, "whole"), config)
    number, is_killed = 0, True
    while is_killed:
        number += 1
        copy = copied(repo, "killed")
        is_killed = run_killed(str(copy.root), config, number)
        now = contents(copy.root)
        assert all(now.get(path) in (old.get(path), new.get(path)) for path in CHANGED), number
        assert done(copy, config) == new, number
        if flags:
            assert set(flags.splitlines()) <= set(copy.git("ls-files", "-v").splitlines()), number
    assert number > (6 if name == "signed" else 12)


def copied(repo: Repo, name: str) -> Repo:
    root = repo.root.parent / name
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(repo.root, root, symlinks=True)
    return Repo(root)


def done(repo: Repo, config: Config) -> dict[str, bytes]:
    """The files after a run that must find everything in order, and leave it so; of the branch if that is not out."""
    result = migrate_repo(str(repo.root), config)
    assert strays(repo.root) == []
    if config.mode is Mode.IN_PLACE:
        assert result.error == ""
        return contents(repo.root)
    assert result.error == "" or "exists already" in result.error
    start = "main" if config.switch else "HEAD"
    assert repo.git("rev-list", "--parents", "--no-walk", "spacelift-oidc").split()[1:] == [
        repo.git("rev-parse", start).strip()
    ]
    is_signed = "gpgsig " in repo.git("cat-file", "commit", "spacelift-oidc")
    assert is_signed == ("gpgsign" in (repo.root / ".git/config").read_text().lower())
    assert repo.status() == ""
    assert repo.branch() == ("spacelift-oidc" if config.switch else "main")
    return {path: repo.git("show", f"spacelift-oidc:{path}").encode() for path in CHANGED}


def half_done(make_repo: MakeRepo, name: str = "half") -> Repo:
    """A repository in which a run was killed when it had moved two files of four to their places."""
    whole = make_repo(FILES, name=f"whole-{name}")
    for number in range(5, 30):
        repo = Repo(copied(whole, name).root)
        assert run_killed(str(repo.root), Config(), number)
        if repo.status().startswith(" M app/main.tf\n M app/variables.tf\n?? net/.tf-oidc-migrate-"):
            assert len(strays(repo.root)) == 3  # with the log
            return repo
    raise AssertionError("no run was killed half way")


def log_of(repo: Repo) -> Path:
    return repo.root / ".git/tf-oidc-migrate.undo"


def test_a_batch_finishes_what_a_killed_run_began(make_repo: MakeRepo) -> None:
    repo = half_done(make_repo)
    done = program.run("batch", repo.root, "--state", repo.root.parent / "journal")
    assert done.returncode == 0, done.stderr
    assert (repo.branch(), repo.status(), strays(repo.root)) == ("spacelift-oidc", "", [])
    assert repo.git("rev-list", "--count", "main..HEAD") == "1\n"


def test_a_killed_run_in_place_on_a_checkout(make_repo: MakeRepo) -> None:
    repo = make_repo(FILES)
    before = untouched(repo)
    assert run_killed(str(repo.root), Config(mode=Mode.IN_PLACE), 12)
    assert log_of(repo).exists()
    Checkout.open(repo.root).recover()  # type: ignore[union-attr]
    assert untouched(repo) == before


@pytest.mark.parametrize("option", ["--preview", "--check"])
def test_a_preview_does_not_read_what_is_half_done(make_repo: MakeRepo, option: str) -> None:
    repo = half_done(make_repo)
    before = untouched(repo)
    done = program.run(option, repo.root)
    assert (done.returncode, done.stdout) == (3, "")
    assert "was killed" in done.stderr
    assert untouched(repo) == before


def test_what_a_person_did_since_is_left_alone(make_repo: MakeRepo) -> None:
    """An edit of a file survives; a commit of the whole survives, and nothing is put back."""
    repo = half_done(make_repo)
    repo.write("app/main.tf", "# mine\n")
    assert migrate_repo(str(repo.root), Config()).changed == ("net/main.tf", "net/variables.tf")
    assert (repo.root / "app/main.tf").read_text() == "# mine\n"
    assert repo.status() == " M app/main.tf\n"
    committed = half_done(make_repo, "committed")
    committed.git("commit", "--quiet", "--all", "--message=mine")
    mine = committed.git("rev-parse", "HEAD")
    migrate_repo(str(committed.root), Config(branch="another"))
    assert committed.git("rev-parse", "main") == mine
    assert strays(committed.root) == []
    assert "aws_role_arn" in committed.git("show", "main:app/main.tf")


def test_a_torn_log_is_of_a_run_that_changed_nothing(make_repo: MakeRepo) -> None:
    repo = make_repo(FILES)
    before = untouched(repo)
    changes = [Change("app/main.tf", PROVIDER.encode(), b"new\n")]
    undo_log.write(log_of(repo), undo_log.undo_log(repo.root, changes, {}))
    whole = log_of(repo).read_bytes()
    for length in range(0, len(whole), 7):
        log_of(repo).write_bytes(whole[:length])
        undo_log.recover(repo.root, log_of(repo))
        assert untouched(repo) == before


def test_folders_that_were_made_go(make_repo: MakeRepo) -> None:
    repo = make_repo(FILES)
    before = sorted(repo.root.rglob("*"))
    log = undo_log.undo_log(repo.root, [Change("new/deep/a.tf", None, b"x"), Change("app/new.tf", None, b"x")], {})
    undo_log.write(log_of(repo), log)
    repo.write("new/deep/a.tf", "x")
    repo.write("app/new.tf", "x")
    undo_log.recover(repo.root, log_of(repo))
    assert sorted(repo.root.rglob("*")) == before


def step(path: str, staged: str = ".tf-oidc-migrate-1") -> dict[str, object]:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # sha256 of no bytes
    return {"format": "tf-oidc-migrate undo", "steps": [[path, "ZXZpbA==", empty, staged]], "folders": [], "git": {}}


@pytest.mark.parametrize(
    "plain",
    [
        step("../outside.txt"),
        step("/etc/hostname"),
        step(".git/hooks/pre-commit"),
        step("sub/../../outside.txt"),
        step("link/outside.txt"),
        step("a.txt", "../.tf-oidc-migrate-1"),
        step("a.txt", "a.txt"),
        {**step("a.txt"), "folders": ["../empty"]},
        {**step("a.txt"), "steps": [[1, 2, 3, 4]]},
        {"format": "something else"},
        [],
    ],
    ids=str,
)
def test_a_forged_log_changes_nothing(make_repo: MakeRepo, plain: object) -> None:
    repo = make_repo({**FILES, "a.txt": "content\n"})
    (repo.root / "link").symlink_to("..")
    outside = repo.root.parent / "outside.txt"
    outside.touch()
    (repo.root.parent / "empty").mkdir()
    repo.write(".git/hooks/pre-commit", "")
    log_of(repo).write_text(json.dumps(plain) + "\n")
    before = untouched(repo)
    assert "help: remove the " in migrate_repo(str(repo.root), Config()).error
    assert untouched(repo) == before
    assert outside.read_bytes() == (repo.root / ".git/hooks/pre-commit").read_bytes() == b""
    assert (repo.root.parent / "empty").is_dir()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/etc/hostname", path)])
def test_a_log_that_is_no_file(make_repo: MakeRepo, make: Callable[[Path], None]) -> None:
    repo = make_repo(FILES)
    make(log_of(repo))
    assert "help: remove the " in migrate_repo(str(repo.root), Config()).error
    assert repo.branch() == "main"


def test_flags_of_the_index_survive(make_repo: MakeRepo) -> None:
    """``git update-index --skip-worktree`` and ``--assume-unchanged``."""
    repo = make_repo(FILES)
    repo.git("update-index", "--skip-worktree", "app/main.tf", "net/main.tf")
    repo.git("update-index", "--assume-unchanged", "app/main.tf", "app/variables.tf")
    assert migrate_repo(str(repo.root), Config()).error == ""
    assert repo.git("ls-files", "-v").splitlines() == [
        "s app/main.tf",
        "h app/variables.tf",
        "S net/main.tf",
        "H net/variables.tf",
    ]


# --- two runs at once -----------------------------------------------------------------------------------------------


def is_locked(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@pytest.fixture
def stopped(make_repo: MakeRepo) -> Iterator[tuple[Repo, subprocess.Popen[str]]]:
    """A repository, and a run on it that was stopped while it reads."""
    repo = make_repo({**FILES, **{f"m{number}/main.tf": PROVIDER for number in range(80)}})
    with subprocess.Popen(command(repo.root), stderr=subprocess.PIPE, text=True) as first:
        until = time.monotonic() + 60
        while not is_locked(repo.root / ".git"):
            assert time.monotonic() < until
            assert first.poll() is None
            time.sleep(0.002)
        first.send_signal(signal.SIGSTOP)
        yield repo, first
        first.kill()


@pytest.mark.parametrize("option", ["--no-switch", "--in-place"])
def test_a_second_run_is_told_and_the_first_one_ends_well(
    stopped: tuple[Repo, subprocess.Popen[str]], option: str
) -> None:
    repo, first = stopped
    second = program.run(option, repo.root)
    assert second.returncode == 3
    assert "Another run of tf-oidc-migrate is working here. help: try again when that run has ended" in second.stderr
    first.send_signal(signal.SIGCONT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said
    assert (repo.branch(), repo.status()) == ("spacelift-oidc", "")


def test_the_lock_of_a_killed_run_is_free(stopped: tuple[Repo, subprocess.Popen[str]]) -> None:
    repo, first = stopped
    first.kill()
    first.wait()
    assert migrate_repo(str(repo.root), Config()).error == ""
    assert (repo.branch(), repo.status()) == ("spacelift-oidc", "")


def test_a_preview_needs_no_lock(stopped: tuple[Repo, subprocess.Popen[str]]) -> None:
    repo, _ = stopped
    assert migrate_repo(str(repo.root), Config(mode=Mode.PREVIEW)).error == ""


# --- changed while it is read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "script", "said"),
    [
        ("z/main.tf", "echo >> app/main.tf", "Another program changed app/main.tf during the run"),
        ("z/main.tf", "echo >> app/a.tf", "Another program changed app/a.tf during the run"),
        ("z/main.tf", "rm app/a.tf", "Another program changed app/a.tf during the run"),
        ("fast-import", "echo >> app/main.tf", "Another program changed app/main.tf during the run"),
        ("fast-import", "rm net/main.tf", "Another program changed net/main.tf during the run"),
        ("fast-import", "echo mine > net/variables.tf", "Another program changed net/variables.tf during the run"),
        ("fast-import", "git commit -q --allow-empty -m mine", "Another commit was checked out during the run"),
        ("fast-import", "git switch -q -c mine", "Another commit was checked out during the run"),
        ("fast-import", "git branch spacelift-oidc $(git commit-tree -m mine HEAD^{tree})", "git fast-import failed"),
        ("var", "echo >> app/main.tf; git add app/main.tf", "Another program changed app/main.tf during the run"),
    ],
)
def test_a_repository_changed_meanwhile(make_repo: MakeRepo, moment: str, script: str, said: str) -> None:
    """Nothing is done, and what the other one did is as it would be without this run."""
    files = {**FILES, "app/a.tf": 'variable "x" {}\n', "z/main.tf": PROVIDER, "z/variables.tf": ""}
    repo, alone = make_repo(files), make_repo(files, name="alone")
    subprocess.run(["/bin/sh", "-ec", script], cwd=alone.root, check=True)
    assert said in run_disturbed(str(repo.root), Config(), moment, script)
    assert contents(repo.root) == contents(alone.root)
    assert (repo.branch(), repo.status(), strays(repo.root)) == (alone.branch(), alone.status(), [])
    assert repo.git("branch", "--format=%(refname)") == alone.git("branch", "--format=%(refname)")


def test_a_file_that_vanishes_before_it_is_read(make_repo: MakeRepo) -> None:
    repo = make_repo({**FILES, "z/main.tf": PROVIDER})
    assert run_disturbed(str(repo.root), Config(), "app/main.tf", "rm z/main.tf") == ""
    assert repo.git("diff", "--name-only", "main", "HEAD").split() == list(CHANGED)
    assert repo.status() == " D z/main.tf\n"


# --- full disks, and what may not be read or written ----------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a disk; test_git.py has a limit on the size of files")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("mode", [Mode.BRANCH, Mode.IN_PLACE])
def test_a_full_disk(make_repo: MakeRepo, disk: Path, mode: Mode) -> None:
    """However much room there is: nothing is changed, or all of it; and with room again the run can be repeated."""
    big = PROVIDER + "# filler\n" * 2_000
    source = make_repo({"main.tf": big, "a/main.tf": big, "b/main.tf": big})
    failures = 0
    for room in (0, 8, 24, 40, 56, 80, 100, 130, 400):
        repo = Repo(disk / "repo")
        shutil.rmtree(repo.root, ignore_errors=True)
        shutil.copytree(source.root, repo.root, ignore=shutil.ignore_patterns("*.sample"))
        before = untouched(repo)
        fill(disk, room)
        error = migrate_repo(str(repo.root), Config(mode=mode)).error
        (disk / "filler").unlink()
        if error and not log_of(repo).exists():
            assert untouched(repo) == before, (room, error)
        failures += bool(error)
        again = migrate_repo(str(repo.root), Config(mode=mode, on_existing_branch=ExistingBranch.SKIP))
        assert again.error == "", room
        assert strays(repo.root) == []
        assert "profile" not in (repo.root / "b/main.tf").read_text()
    assert 2 <= failures < 9


def fill(disk: Path, room: int) -> None:
    """Leave no more than ``room`` kilobytes on the disk."""
    free = os.statvfs(disk)
    (disk / "filler").write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - room * 1024))


@pytest.fixture
def theirs(make_repo: MakeRepo) -> Iterator[Repo]:
    """A repository of a user without privileges, who is whoever runs the tests unless that is root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        repo = Repo(Path(folder, "repo"))
        shutil.copytree(make_repo(FILES).root, repo.root)
        shutil.copy(Path.home() / ".gitconfig", Path(folder, ".gitconfig"))
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", folder], check=True)
        yield repo
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=True)


def run_as_owner(repo: Repo, mode: Mode) -> RepoResult:
    return run_as(NOBODY, str(repo.root), Config(mode=mode), str(repo.root.parent))


@pytest.mark.parametrize(
    ("folder", "mode", "said"),
    [
        ("app", Mode.BRANCH, "app/main.tf cannot be written: Permission denied. Nothing was changed"),
        ("app", Mode.IN_PLACE, "app/main.tf cannot be written: Permission denied. Nothing was changed"),
        (".git", Mode.BRANCH, ".git is not writable: Permission denied. Nothing was changed"),
        (".git", Mode.IN_PLACE, ".git is not writable: Permission denied. Nothing was changed"),
        (".git/refs/heads", Mode.BRANCH, "git fast-import failed"),
        (".git/objects", Mode.BRANCH, "git fast-import failed"),
    ],
)
def test_a_folder_that_may_not_be_written(theirs: Repo, folder: str, mode: Mode, said: str) -> None:
    before = contents(theirs.root)
    for path in [theirs.root / folder, *(theirs.root / folder).rglob("*")]:
        if path.is_dir():
            path.chmod(0o555)
    assert said in run_as_owner(theirs, mode).error
    assert (contents(theirs.root), strays(theirs.root)) == (before, [])


def test_a_file_that_may_not_be_read_costs_no_other(theirs: Repo) -> None:
    (theirs.root / "app/main.tf").chmod(0)
    result = run_as_owner(theirs, Mode.IN_PLACE)
    assert [f"{problem.place}: {problem.code}" for problem in result.problems] == ["app/main.tf: unreadable-file"]
    assert result.changed == ("net/main.tf", "net/variables.tf")


def test_a_folder_that_may_not_be_read(theirs: Repo) -> None:
    (theirs.root / "app").chmod(0)
    result = run_as_owner(theirs, Mode.IN_PLACE)
    assert result.error == ""
    assert result.changed == ("net/main.tf", "net/variables.tf")


def test_a_file_that_may_not_be_written_is_replaced_and_stays_so(theirs: Repo) -> None:
    (theirs.root / "app/main.tf").chmod(0o444)
    assert run_as_owner(theirs, Mode.IN_PLACE).error == ""
    assert (theirs.root / "app/main.tf").stat().st_mode & 0o777 == 0o444


def test_a_repository_of_somebody_else(theirs: Repo) -> None:
    """git itself does not trust it; nothing of it is done."""
    if os.geteuid():
        pytest.skip(
            "only root can give a file away; that git distrusts others' repositories is held by git's own tests"
        )
    subprocess.run(["chown", "-R", "12345:12345", str(theirs.root)], check=True)
    before = contents(theirs.root)
    assert run_as_owner(theirs, Mode.PREVIEW).error.endswith(
        "belongs to another user, so git does not trust the repository"
    )
    assert contents(theirs.root) == before
