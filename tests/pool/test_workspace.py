"""Proves a task's worktree: made once, taken up again, committed, and removed only when its branch holds all."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from snakepit.errors import AgentError
from snakepit.pool import workspace
from snakepit.pool.statefile import read_state, write_state
from snakepit.pool.workspace import Workspace, finish, forget, prepare, unfinished

pytestmark = pytest.mark.needs("git")


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=t", "-c", "user.email=t@t")
    done = subprocess.run(
        ["git", *own, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Desk:
    """A repository, and tasks that want a worktree of it."""

    def __init__(self, folder: Path) -> None:
        self.repo = folder / "repo"
        self.repo.mkdir()
        git(self.repo, "init", "-q", "-b", "main")
        (self.repo / "sub").mkdir()
        (self.repo / "sub" / "kept.txt").write_text("one\n")
        (self.repo / ".gitignore").write_text("*.secret\n*.o\n")
        git(self.repo, "add", "--all")
        git(self.repo, "commit", "-q", "-m", "first")
        self.config: Any = SimpleNamespace(log_dir=folder / "logs")
        self.agent: Any = SimpleNamespace(base="")

    def prepare(self, text: str = "Do it.", *, base: str = "", name: str = "x.md") -> Workspace:
        claim: Any = SimpleNamespace(name=name, text=text.encode(), task=SimpleNamespace(base=base))
        made = prepare(self.config, claim, self.agent, self.repo / "sub")
        assert made is not None
        return made

    def branches(self) -> set[str]:
        return set(git(self.repo, "branch", "--format=%(refname:short)").split())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_folder_in_it_fits_and_the_work_is_committed(desk: Desk) -> None:
    at = desk.prepare()
    assert at.cwd == at.top / "sub"
    (at.cwd / "kept.txt").write_text("two\n")
    (at.cwd / "made.o").write_text("ignored")
    told = finish(at, "A title\n")
    assert "Branch `snakepit/x`, commit `" in told
    assert "kept.txt | 2 +-" in told
    assert not at.top.exists()
    assert git(desk.repo, "show", "snakepit/x:sub/kept.txt") == "two"
    assert git(desk.repo, "log", "-1", "--format=%s", "snakepit/x") == "A title"
    assert git(desk.repo, "status", "--porcelain") == ""
    assert (desk.repo / "sub" / "kept.txt").read_text() == "one\n"


def test_no_change_is_said_and_leaves_nothing(desk: Desk) -> None:
    at = desk.prepare()
    assert finish(at, "t") == workspace.UNCHANGED
    assert not at.top.exists()
    assert desk.branches() == {"main"}


def test_uncommitted_work_of_a_cut_off_run_is_found_again(desk: Desk) -> None:
    first = desk.prepare()
    (first.cwd / "half.txt").write_text("half")
    lock = Path(git(first.top, "rev-parse", "--absolute-git-dir")) / "index.lock"
    lock.touch()
    again = desk.prepare("Do it.\n\n## Attempt 1 <!-- snakepit -->\n\n*w*\n\n> killed\n")
    assert again == first
    assert (again.cwd / "half.txt").read_text() == "half"
    assert str(again.top) in unfinished(again)
    assert "half.txt" in finish(again, "t")


def test_a_worktree_that_was_killed_while_it_was_made_is_made_anew(desk: Desk) -> None:
    at = desk.prepare()
    record = read_state(at.record)
    write_state(at.record, {name: value for name, value in record.items() if name != "ready"})
    (at.top / "sub" / "kept.txt").unlink()
    again = desk.prepare()
    assert (again.cwd / "kept.txt").read_text() == "one\n"


def test_a_result_the_pit_never_got_is_told_again(desk: Desk) -> None:
    at = desk.prepare()
    (at.cwd / "kept.txt").write_text("two\n")
    told = finish(at, "t")
    again = desk.prepare()
    assert again.branch == at.branch
    assert (again.cwd / "kept.txt").read_text() == "two\n"
    assert finish(again, "t") == told


def test_another_task_of_the_name_gets_another_branch(desk: Desk) -> None:
    at = desk.prepare()
    (at.cwd / "kept.txt").write_text("two\n")
    finish(at, "t")
    forget(at)
    other = desk.prepare("Do something else.")
    assert other.branch == "snakepit/x-2"
    assert (other.cwd / "kept.txt").read_text() == "one\n"
    assert desk.branches() == {"main", "snakepit/x", "snakepit/x-2"}


def test_what_the_branch_does_not_hold_is_never_removed(desk: Desk) -> None:
    at = desk.prepare()
    git(at.top, "checkout", "-q", "--detach")
    (at.cwd / "kept.txt").write_text("two\n")
    told = finish(at, "t")
    assert f"The worktree is kept: {at.top}" in told
    assert "(left on no branch)" in told
    forget(at)
    assert at.record.exists()


def test_named_files_are_copied_and_no_link_is_followed(desk: Desk) -> None:
    (desk.repo / workspace.INCLUDE).write_text("*.secret\n*.key\n")
    (desk.repo / "sub" / "a.secret").write_text("key")
    (desk.repo / "b.secret").symlink_to("/etc/passwd")
    (desk.repo / "c.o").write_text("not named")
    (desk.repo / "d.key").write_text("named, and not ignored")
    at = desk.prepare()
    assert (at.cwd / "a.secret").read_text() == "key"
    assert not (at.top / "b.secret").exists()
    assert not (at.top / "c.o").exists()
    assert not (at.top / "d.key").exists()
    assert finish(at, "t") == workspace.UNCHANGED
    assert not at.top.exists()


def test_a_link_of_the_branch_leads_no_copy_outside(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (desk.repo / "there").symlink_to(outside)
    git(desk.repo, "add", "--all")
    git(desk.repo, "commit", "-q", "-m", "a link")
    git(desk.repo, "rm", "-q", "there")
    git(desk.repo, "commit", "-q", "-m", "none")
    (desk.repo / "there").mkdir()
    (desk.repo / "there" / "a.secret").write_text("key")
    (desk.repo / workspace.INCLUDE).write_text("*.secret\n")
    at = desk.prepare(base="HEAD~1")
    assert (at.top / "there").is_symlink()
    assert not list(outside.iterdir())


@pytest.mark.parametrize("damage", ["removed", "bent", "linked", "a sibling's"])
def test_a_run_that_damaged_its_git_file_commits_to_its_own_branch(desk: Desk, damage: str) -> None:
    before = git(desk.repo, "rev-parse", "main")
    other = desk.prepare(name="other.md")
    at = desk.prepare()
    (desk.repo / "sub" / "draft.txt").write_text("the person's own")
    lock = desk.repo / ".git" / "index.lock"
    lock.touch()
    (at.cwd / "made.txt").write_text("made")
    file = at.top / ".git"
    text = (other.top / ".git").read_bytes()
    file.unlink()
    if damage == "bent":
        file.write_text(f"gitdir: {desk.repo}/.git\n")
    elif damage == "linked":
        file.symlink_to(desk.repo / ".git")
    elif damage == "a sibling's":
        file.write_bytes(text)
    assert str(at.top) in unfinished(at)
    assert desk.prepare() == at
    assert "made.txt" in finish(at, "t")
    assert not at.top.exists()
    assert lock.exists()
    lock.unlink()
    assert git(desk.repo, "rev-parse", "main", "snakepit/other").split() == [before, before]
    assert git(desk.repo, "status", "--porcelain") == "?? sub/draft.txt"
    assert git(desk.repo, "show", "snakepit/x:sub/made.txt") == "made"


def test_a_repository_in_the_place_of_the_worktree_gets_no_commit(desk: Desk) -> None:
    at = desk.prepare()
    (at.top / ".git").unlink()
    git(at.top, "init", "-q")
    (at.cwd / "made.txt").write_text("made")
    with pytest.raises(AgentError, match="no worktree of"):
        finish(at, "t")
    again = desk.prepare()
    assert not (again.cwd / "made.txt").exists()
    (aside,) = at.top.parent.glob("x.lost-*")
    assert (aside / "sub" / "made.txt").read_text() == "made"


def test_a_worktree_that_the_run_removed_is_said_and_made_anew(desk: Desk) -> None:
    at = desk.prepare()
    shutil.rmtree(at.top)
    with pytest.raises(AgentError, match="no worktree of"):
        finish(at, "t")
    assert unfinished(at)
    assert (desk.prepare().cwd / "kept.txt").exists()


def test_a_branch_of_the_person_gets_no_commit_of_ours(desk: Desk) -> None:
    before = git(desk.repo, "rev-parse", "main")
    git(desk.repo, "branch", "feature")
    at = desk.prepare()
    git(at.top, "checkout", "-q", "feature")
    (at.cwd / "made.txt").write_text("made")
    told = finish(at, "t")
    assert "(left on no branch)" in told
    assert f"The worktree is kept: {at.top}" in told
    assert git(desk.repo, "rev-parse", "feature") == before


def test_hooks_of_the_repository_do_not_run(desk: Desk) -> None:
    for name in ("pre-commit", "post-checkout", "post-commit"):
        hook = desk.repo / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {desk.repo.parent}/{name}.ran\nexit 1\n")
        hook.chmod(0o755)
    at = desk.prepare()
    (at.cwd / "kept.txt").write_text("two\n")
    assert "commit `" in finish(at, "t")
    assert not list(desk.repo.parent.glob("*.ran"))


def test_a_base_that_is_no_commit_is_refused(desk: Desk) -> None:
    for base in ("nowhere", "--all", "-x"):
        with pytest.raises(AgentError, match="there is no commit"):
            desk.prepare(base=base)
    assert desk.branches() == {"main"}


def test_odd_names_make_plain_branches(desk: Desk) -> None:
    assert desk.prepare(name="a b~2.lock..md").branch == "snakepit/a-b-2-lock"


def test_without_a_repository_or_a_commit_there_is_none(tmp_path: Path, desk: Desk) -> None:
    claim: Any = SimpleNamespace(name="x.md", text=b"t", task=SimpleNamespace(base=""))
    assert prepare(desk.config, claim, desk.agent, tmp_path) is None
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    assert prepare(desk.config, claim, desk.agent, empty) is None


def test_a_run_that_settles_its_task_itself_names_its_commit(desk: Desk) -> None:
    claim: Any = SimpleNamespace(
        name="x.md",
        text=b"Do it.",
        task=SimpleNamespace(base="", title="A title"),
        attempt=1,
        worker="snake-1",
    )
    assert workspace.commit_of(desk.config, claim) == ""
    at = desk.prepare()
    (at.cwd / "kept.txt").write_text("two\n")
    told = workspace.commit_of(desk.config, claim)
    assert "Branch `snakepit/x`, commit `" in told
    assert "kept.txt | 2 +-" in told
    assert git(desk.repo, "show", "snakepit/x:sub/kept.txt") == "two"
    assert at.cwd.is_dir(), "it is still at work there"
    assert finish(at, "t").startswith(told.splitlines()[0])
    other: Any = SimpleNamespace(**{**vars(claim), "text": b"Something else."})
    assert workspace.commit_of(desk.config, other) == ""
