"""Owns what a storm came to, in numbers and in the words that are printed; storms can be added up."""

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass
class Report:
    """`kills` by (kind, what it was at)."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    new: int = 0
    fed: int = 0
    parts: int = 0
    runs: int = 0
    done: int = 0
    dead: int = 0
    cut_short: int = 0
    late: int = 0
    events: int = 0
    acknowledged: int = 0
    newborn: int = 0
    unfinished: int = 0
    names_waited_for: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.miscounted or self.problems or self.late)

    def add(self, other: "Report") -> None:
        for each in fields(self):
            mine = getattr(self, each.name)
            mine += getattr(other, each.name)
            setattr(self, each.name, mine)

    def killed(self, kind: str) -> int:
        return sum(n for (of, _), n in self.kills.items() if of == kind)

    def lines(self) -> list[str]:
        return [
            f"tasks fed      {self.fed} (and {self.parts} parts of split ones)",
            f"kills          {self.kills.total()}",
            *(f"  {line}" for line in self._kill_lines()),
            f"lost           {len(self.lost)}",
            f"doubled        {len(self.doubled)}",
            f"miscounted     {len(self.miscounted)} attempts",
            f"runs           {self.runs} began; {self.cut_short} were cut short, given back and counted",
            f"done           {self.done}, each with one result",
            f"dead letters   {self.dead}, each with its reason",
            f"events         {self.events}, numbered without a gap; {self.acknowledged} of them were "
            "acknowledged, and none of those is missing",
            f"late results   {self.late}",
            f"names waited for by a new life  {self.names_waited_for}",
            f"hands that were never used, swept a day later  {self.newborn}",
            f"records never named, removed by the daemon's cleaning  {self.unfinished}",
            f"starts by a new interpreter     {self.new}",
            *(f"PROBLEM        {problem}" for problem in self.problems),
            *(f"LOST           {name}" for name in self.lost),
            *(f"DOUBLED        {name}" for name in self.doubled),
            *(f"MISCOUNTED     {name}" for name in self.miscounted),
        ]

    def _kill_lines(self) -> list[str]:
        lines = []
        for kind in sorted({kind for kind, _ in self.kills}):
            at = Counter({at: n for (of, at), n in self.kills.items() if of == kind})
            told = ", ".join(f"{n} {what}" for what, n in at.most_common())
            lines.append(f"{kind:<9} {at.total():>5}: {told}")
        return lines
