"""What a fanpage asks of every launch: quiet hours, days off, a second person, the number typed (pure).

When the quiet hours and days off end is worked out in quiet_hours.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from core.errors import N_, Change, Problem, problem

MOST_DAYS_OFF = 60
NOT_APPROVED = frozenset({"name"})  # fields of a draft that only the team sees
WROTE_LAST = N_(
    "You made the last change to this version. On this fanpage another sender has to review and approve it."
)


@dataclass(frozen=True)
class LaunchRules:
    """Nothing set: everything may leave at any time, approved by whoever may send."""

    quiet_from: str = ""  # "21:00" by the fanpage's clock; both or none
    quiet_to: str = ""
    weekdays_off: tuple[int, ...] = ()  # 0: Monday
    days_off: tuple[str, ...] = ()  # "2027-02-06"
    needs_second_person: bool = False  # whoever wrote a version last does not approve it
    count_typed_above: int = 0  # so many people or more: whoever launches types the number; 0: never

    def needs_number(self, people: int) -> bool:
        """Whether whoever launches a broadcast to so many people types their number."""
        return 0 < self.count_typed_above <= people

    def may_need_number(self, people: int) -> bool:
        """Whether so many people may be enough by the time of the launch, which counts anew."""
        return self.needs_number(people + people // 4)

    def as_text(self) -> str | None:
        """The rules as the database keeps them; None when nothing is set."""
        return None if self == FREE else json.dumps(asdict(self))


FREE = LaunchRules()


def launch_rules_of(kept: str | None) -> LaunchRules:
    """The rules that the database keeps so."""
    if not kept:
        return FREE
    values = json.loads(kept)
    values["weekdays_off"], values["days_off"] = tuple(values["weekdays_off"]), tuple(values["days_off"])
    return LaunchRules(**values)


def is_number_of(people: int, typed: int | None) -> bool:
    """Whether the number that was typed is that of the people; a hundredth more or less may have agreed or
    withdrawn since it was shown."""
    return typed is not None and abs(typed - people) <= people // 100


def wrote_last(name: str, changes: Sequence[Change], created_by: str) -> bool:
    """Whether this person was the last to change what is approved; `changes` are in the order of time."""
    writers = [change.by for change in changes if change.field not in NOT_APPROVED]
    return name == (writers[-1] if writers else created_by)


def check_launch_rules(rules: LaunchRules) -> list[Problem]:
    """What is wrong with rules that somebody wants to set."""
    found = []
    if bool(rules.quiet_from) != bool(rules.quiet_to) or (
        rules.quiet_from and rules.quiet_from == rules.quiet_to
    ):
        found.append(problem("quiet_from", N_("Quiet hours need a start and a different end.")))
    if len(set(rules.weekdays_off)) > 6:
        found.append(problem("weekdays_off", N_("Leave at least one day of the week for sending.")))
    if len(rules.days_off) > MOST_DAYS_OFF:
        found.append(problem("days_off", N_("You can have at most {most} days off."), most=MOST_DAYS_OFF))
    if rules.count_typed_above < 0:
        found.append(problem("count_typed_above", N_("Choose a number of people, or 0 for never.")))
    return found
