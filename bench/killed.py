"""Owns one measure: what becomes of the task of a worker that was killed with SIGKILL, and when."""

from pathlib import Path
from typing import Any

from bench import clock
from bench.jobs import stand


def measure(peer: str, root: Path, *, cap: float) -> dict[str, Any]:
    """One worker claims and is killed; a second one, started before, tries until the task comes."""
    with stand(peer, root) as place:
        place.run("fill", start=0, stop=1)
        place.accompany()
        first = place.job("hold", 1)
        second = None
        try:
            claimed = first.line()["claimed"]
            second = place.job("retake", 2, cap=cap)
            second.line()
            first.kill()
            second.say(f"{clock.now():.9f}")
            said = second.answer(cap + 60)
        finally:
            for job in (first, second):
                if job and job.process.poll() is None:
                    job.kill()
        return {"measure": "killed", "peer": peer, "claimed": claimed, "waited_s": cap, **said}
