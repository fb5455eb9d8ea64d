"""Owns a worker's loop: wait, claim, run, settle; one step at a time, so a test can take each.

What lies in the worker's own folder comes before what waits for all: a person may put a task there by
hand, and a claim that could not be settled is still held.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.core.usage import Usage
from snakepit.errors import ClaimLost, LifeLost, SnakepitError
from snakepit.pool import settle
from snakepit.pool.canary import Account
from snakepit.pool.claim import claim_next, told_claim
from snakepit.pool.context import Pit, secret_values
from snakepit.pool.ownend import DONE, noted_end
from snakepit.pool.tree import RunTree
from snakepit.store.base import Claim, Life, Settled
from snakepit.system import process
from snakepit.worker.attention import GIVE_BACK, Attention
from snakepit.worker.caretaker import Caretaker
from snakepit.worker.pauses import Pauses
from snakepit.worker.screen import Screen

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.worker.run import Run

IDLE_WAIT = (
    2.0  # seconds; bounds how late a file put here by hand is seen, and the daemon's absence
)
OF_THE_MACHINE = frozenset(  # errors that another task would meet too: not counted
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EIO,
        errno.EAGAIN,
    }
)
CANNOT_REST = 60.0  # seconds without claims after a run that no task could have
REST = 15.0  # seconds without claims after a person took the task away
WAITING = "waiting for food"


@dataclass(slots=True, kw_only=True)
class Worker:
    """One life of one agent. `step` returns False when it is over; then `close`."""

    pit: Pit
    agent: "Agent"
    life: Life
    screen: Screen
    attention: Attention
    caretaker: Caretaker
    pauses: Pauses
    account: Account
    is_subreaper: bool
    _rests_until: float = 0.0
    _hand_looked_at: float = 0.0
    _is_fresh: bool = True

    def step(self) -> bool:
        """One task from claim to settlement, or one wait."""
        self.attention.look()
        if self.attention.stops:
            return False
        claim = self._next()
        if claim is not None:
            self._carry_out(claim)
            return True
        if not self.caretaker.step(clock.monotonic()):
            self.pit.store.wait(self.life, IDLE_WAIT)
        return True

    def close(self) -> None:
        """Give back what is held, and end the life."""
        for claim in self.pit.store.claims_of(self.life):
            self._give_back(claim, "the worker ended")
        self.pit.journal.append(
            "worker.stopped",
            worker=self.agent.name,
            generation=self.life.generation,
            reason="asked to end",
        )
        self.life.close()
        self.screen.say("ended")

    # --- what next

    def _next(self) -> Claim | None:
        reason = self._why_not_now()
        if reason:
            self.screen.say(reason)
            return None
        try:
            claim = self._by_hand() or claim_next(self.pit, self.life, self.agent.diet)
        except LifeLost:
            raise
        except (SnakepitError, OSError) as error:
            self._trouble("cannot claim", error)
            self._rests_until = clock.monotonic() + IDLE_WAIT
            claim = None
        if claim is None:
            self.account.stand_down()
            self.screen.say(WAITING)
        return claim

    def _why_not_now(self) -> str:
        if self.pit.store.paused:
            return "paused; agents.py resume goes on"
        if clock.monotonic() < self._rests_until:
            return "resting after giving a task back"
        return self.pauses.reason() or self.account.closed()

    def _by_hand(self) -> Claim | None:
        """A task in our folder that the pool did not give us: ours, if we could have claimed it."""
        now = clock.monotonic()
        if not self._is_fresh and now - self._hand_looked_at < IDLE_WAIT / 2:
            return None
        self._is_fresh = False
        self._hand_looked_at = now
        for claim in self.pit.store.claims_of(self.life):
            task = claim.task
            accepts_all = self.pit.config.script.accept == "all"
            is_allowed = not (task.runs and task.by) or task.allowed or accepts_all
            if is_allowed and self.agent.diet.eats(task.kind, task.labels, task.to):
                told_claim(self.pit, claim, observed=True)
                return claim
            self._give_back(claim, "not for this worker")
        return None

    # --- one task

    def _carry_out(self, claim: Claim) -> None:
        again = f" (attempt {claim.attempt})" if claim.attempt > 1 else ""
        self.screen.say(f"eating {claim.name}{again}")
        started, began = clock.monotonic(), clock.wall()
        self.attention.is_busy = True
        try:
            run = self._run(claim)
        finally:
            self.attention.is_busy = False
            self._is_fresh = True
        seconds = clock.monotonic() - started
        self._account_learns(run, began)
        try:
            self._settle(claim, run, seconds)
        except ClaimLost:
            self.screen.say(f"{claim.name} was taken away meanwhile")
        except LifeLost:
            raise
        except (SnakepitError, OSError) as error:
            self._trouble(f"cannot settle {claim.name}", error)
            if claim in self.pit.store.claims_of(self.life):
                self._give_back(claim, "it could not be settled")
            self._rests_until = clock.monotonic() + REST
        process.reap_orphans()

    def _account_learns(self, run: "Run", began: float) -> None:
        """Before the task goes back: no other snake of the account shall claim it only to be refused."""
        if run.outcome is None:
            self.account.stand_down()
            return
        try:
            self.account.ended(self.pit, run.outcome, began=began)
        except OSError as error:
            self._trouble("cannot write the account's rest", error)

    def _run(self, claim: Claim) -> "Run":
        from snakepit.worker.run import Place, Run, Scene, script_environment
        from snakepit.worker.runner import run_claim

        tree = RunTree(self.life.generation, is_subreaper=self.is_subreaper)
        folder = Path(os.devnull)
        cwd = self._folder_of(claim)
        if cwd is None:
            roots = ", ".join(str(root) for root in self.pit.config.pit.roots)
            reason = f"its `dir: {claim.task.dir}` is outside of [pit] roots ({roots})"
            return Run(reason=reason, dead=True)
        try:
            folder = self.pit.store.waste_dir(claim.name, claim.attempt)
            place = Place(folder=folder, cwd=cwd, env=script_environment(self.agent.env))
            scene = Scene(
                pit=self.pit,
                life=self.life,
                claim=claim,
                agent=self.agent,
                place=place,
                screen=self.screen,
                attention=self.attention,
                end_rest=tree.end,
                secrets=tuple(secret_values(self.pit.config, os.environ.items())),
            )
            return run_claim(scene)
        except OSError as error:
            tree.end()
            self._trouble(f"cannot run {claim.name}", error)
            if error.errno in OF_THE_MACHINE:
                return Run(stopped=f"the machine: {error.strerror}")
            return Run(reason=f"its run could not be set up or kept: {error}")
        except (LifeLost, ClaimLost):
            raise
        except SnakepitError as error:
            tree.end()
            self._trouble(f"cannot run {claim.name}", error)
            return Run(stopped=f"{error.message}; {error.fix}", rest_s=CANNOT_REST)
        except Exception as error:
            tree.end()
            self._trouble(f"our own mistake while {claim.name} ran", _placed(error))
            return Run(reason=f"snakepit could not go on with it: {error!r}"[:500])

    def _folder_of(self, claim: Claim) -> Path | None:
        """Where the run works; None when the task names a folder outside of the pit's roots."""
        wanted = claim.task.dir
        if not wanted:
            return self.agent.dir
        folder = (self.agent.dir / os.path.expanduser(wanted)).resolve()
        roots = [root.resolve() for root in self.pit.config.pit.roots]
        return folder if any(folder.is_relative_to(root) for root in roots) else None

    def _settle(self, claim: Claim, run: "Run", seconds: float) -> None:
        usage = _used(run)
        if self._settled_itself(claim, run):
            settle.used(self.pit, claim, usage)
            self.screen.say(f"{claim.name} was settled by its own run in {seconds:.1f} s")
            return
        if run.outcome is not None and run.outcome.is_accounts:
            self._give_back(claim, f"not the task's fault: {run.outcome.reason}", usage)
            return
        if run.stopped:
            by = "the person at its pane" if run.stopped == GIVE_BACK else run.stopped
            self._give_back(claim, f"given back: {by}", usage)
            if not self.attention.stops:
                self._rests_until = clock.monotonic() + (run.rest_s or REST)
            return
        if run.reason:
            settled = settle.fail(
                self.pit,
                self.life,
                claim,
                run.reason,
                seconds=seconds,
                dead=run.dead,
                logs=run.logs,
                usage=usage,
            )
        else:
            settled = settle.complete(
                self.pit, self.life, claim, run.text, seconds=seconds, keep=run.keep, usage=usage
            )
        if run.accepted is not None:
            run.accepted()
        self.screen.say(self._ended(claim, run, settled, seconds))

    def _settled_itself(self, claim: Claim, run: "Run") -> bool:
        """By a tool or by a verb; a task that is still held was not, whatever the run says."""
        verb = noted_end(run.folder)
        held = [one.name for one in self.pit.store.claims_of(self.life)] if verb else []
        if not run.is_settled and (not verb or claim.name in held):
            return False
        if verb == DONE and run.accepted is not None:
            run.accepted()
        return True

    def _ended(self, claim: Claim, run: "Run", settled: Settled, seconds: float) -> str:
        took = f"in {seconds:.1f} s"
        if settled.by_hand:
            return f"{claim.name} was moved by hand meanwhile {took}"
        if settled.late:
            return f"{claim.name} was no longer mine; what it said is in {settled.path}"
        if not run.reason:
            return f"ate {claim.name} {took} -> {settled.path}"
        where = "into scraps" if settled.state is State.DEAD else "back into food"
        return f"choked on {claim.name} {took}, {where}: {run.reason}"

    def _give_back(self, claim: Claim, reason: str, usage: Usage = settle.NOTHING) -> None:
        try:
            settle.release(self.pit, self.life, claim, reason, usage=usage)
            self.screen.say(f"gave {claim.name} back: {reason}")
        except ClaimLost:
            self.screen.say(f"{claim.name} was taken away meanwhile")
        except (SnakepitError, OSError) as error:
            self._trouble(f"cannot give {claim.name} back", error)

    def _trouble(self, what: str, error: Exception) -> None:
        self.screen.say(f"{what}: {error}")
        self.pit.journal.append(
            "log.error", worker=self.agent.name, where="worker", message=f"{what}: {error}"
        )


def _placed(error: Exception) -> Exception:
    """With the place it comes from: no terminal shows its traceback later."""
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)[-3:]
    places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return RuntimeError(f"{error!r}"[:500] + f" at {places}")


def _used(run: "Run") -> Usage:
    """With its price, where the program named none and the list has it."""
    if run.outcome is None or not run.outcome.usage:
        return settle.NOTHING
    from snakepit.agents.pricelist import shipped_prices
    from snakepit.core.prices import priced

    return priced(run.outcome.usage, shipped_prices())
