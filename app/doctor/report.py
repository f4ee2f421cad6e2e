"""What the doctor found: checks in groups, each with what was seen and how to mend it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["ok", "warn", "fail", "skip"]
"""warn: calls can work, but look at it. fail: calls will not work. skip: not set or not tried."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `seen` never holds a secret."""

    group: str
    name: str
    status: Status
    seen: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """1 if anything failed, else 0."""
        return 1 if self.count("fail") else 0

    def count(self, status: Status) -> int:
        return sum(check.status == status for check in self.checks)

    @property
    def groups(self) -> dict[str, list[Check]]:
        """The checks by group, in the order in which they were made."""
        found: dict[str, list[Check]] = {}
        for check in self.checks:
            found.setdefault(check.group, []).append(check)
        return found

    @property
    def summary(self) -> str:
        """One sentence: does it stand, and what is there to do."""
        fails, warns = self.count("fail"), self.count("warn")
        if fails:
            things = "1 thing needs" if fails == 1 else f"{fails} things need"
            return f"Not ready for calls: {things} mending{_also(warns)}."
        return f"Ready for calls{_also(warns)}."


def _also(warns: int) -> str:
    if not warns:
        return ""
    return ", 1 to look at" if warns == 1 else f", {warns} to look at"


def masked(secret: str) -> str:
    """That a secret is set, and just enough to tell two apart: the end of a long one."""
    if not secret:
        return "not set"
    end = f", ends in {secret[-4:]}" if len(secret) >= 20 else ""
    return f"set ({len(secret)} characters{end})"
