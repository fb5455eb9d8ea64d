"""Owns what one value alone cannot show: names that clash, backends that do not exist, feeding."""

from collections.abc import Callable, Iterator

from snakepit.config import tables
from snakepit.config.model import AUTO, PROGRAM, SCRIPT, TASK, WATCHDOG, Agent, Config
from snakepit.config.problem import Finding, Problem, did_you_mean
from snakepit.config.sections import Section

_MODEL_SPECIES = ("worker", "planner", "keeper", "cleanup")

Add = Callable[[Section, str, str], None]


def check_rules(config: Config, sections: list[Section], findings: list[Finding]) -> None:
    def add(section: Section, key: str, message: str) -> None:
        if key in section.settings:
            findings.append(Finding((), Problem(section.settings[key][0], "", message)))
            return
        findings.append(Finding((*section.place, key), Problem(section.label, key, message)))

    _unique_names(sections, add)
    for section in sections:
        if section.table.name == "defaults":
            _known_backend(config, section, config.defaults.backend, add)
            if config.log_dir == config.pit_dir:
                add(section, "log_dir", "must not be the pit's own folder")
        elif section.table.name == "backend":
            _backend(section, add)
    for section, agent in _agents(config, sections):
        _agent(config, section, agent, add)


def _agents(config: Config, sections: list[Section]) -> Iterator[tuple[Section, Agent]]:
    """Sections and what was built from them, both in the order of the file."""
    agents = (agent for agent in config.agents if agent.pool is None)
    templates = (pool.template for pool in config.pools)
    for section in sections:
        if section.table.name == "agent":
            yield section, next(agents)
        elif section.table.name == "pool":
            yield section, next(templates)


def _unique_names(sections: list[Section], add: Add) -> None:
    taken: dict[str, str] = {WATCHDOG: "the daemon's own session"}
    for section in sections:
        name = section.values.get("name")
        if section.table.shape != "array" or not isinstance(name, str):
            continue
        names = [name]
        count = section.values.get("count")
        if section.table.name == "pool" and isinstance(count, int):
            names += [f"{name}-{number}" for number in range(1, count + 1)]
        clash = next((word for word in names if word in taken), None)
        if clash is not None:
            add(section, "name", f'"{clash}" is taken by {taken[clash]}')
        taken.update(dict.fromkeys(names, f"another {section.table.header}"))


def _known_backend(config: Config, section: Section, name: str, add: Add) -> None:
    if name not in config.backends and name != AUTO:
        known = (*config.backends, *tables.names())
        add(section, "backend", f"no [backend.{name}]{did_you_mean(name, known)}")


def _agent(config: Config, section: Section, agent: Agent, add: Add) -> None:
    if section.values["backend"] is not None:
        _known_backend(config, section, agent.backend, add)
    if agent.kind == "loop":
        message = (
            '"loop" needs a [loop] of phases, which this program does not run; use "persistent"'
        )
        add(section, "kind", message)
    if agent.backend not in config.backends:
        return
    runner = config.runner_of(agent)
    is_script = runner == SCRIPT
    wrong = [word for word in agent.eats.species if word in _MODEL_SPECIES]
    said = "species" if section.values["eats"] is None else "eats"
    if is_script and wrong:
        add(section, said, f'a script snake runs code only; it cannot eat "{wrong[0]}"')
    if not is_script and SCRIPT in agent.eats.species:
        add(section, said, 'only a snake with backend = "script" eats "script"')
    if runner != PROGRAM and agent.feed != TASK:
        told = f'with kind "{TASK}"' if runner == TASK else f'with backend "{agent.backend}"'
        add(section, "feed", f'{told} it must be "{TASK}"')
    if runner == PROGRAM and agent.feed == TASK:
        add(section, "feed", f'with backend "{agent.backend}" this needs kind = "{TASK}"')
    if runner == TASK:
        _per_task(config, section, agent, add)


def _per_task(config: Config, section: Section, agent: Agent, add: Add) -> None:
    backend = config.backend_of(agent)
    is_none = agent.is_auto and agent.backend == AUTO
    if not is_none and TASK not in backend.feeds and TASK not in backend.given:
        add(section, "kind", f'backend "{agent.backend}" has no [backend.{agent.backend}.task]')


def _backend(section: Section, add: Add) -> None:
    given = set(section.given) | set(section.settings)
    like = section.values["like"]
    if like and like not in tables.names():
        add(
            section,
            "like",
            f'no built-in program "{like}"{did_you_mean(str(like), tables.names())}',
        )
    if section.name == AUTO and given:
        add(section, "bin", '"auto" stands for the first program that is found; take another name')
    if section.values["runner"] == SCRIPT:
        for key in sorted(given & {"bin", "flags", "prompt_delivery", "remote_control"}):
            add(section, key, "has no meaning here: script runs the task's own code")
        return
    flags = section.values["flags"]
    if isinstance(flags, str) and set(flags) & set("\"'\\"):
        import shlex

        try:
            shlex.split(flags)
        except ValueError as exc:
            add(section, "flags", f"cannot be split as a shell does: {str(exc).lower()}")
