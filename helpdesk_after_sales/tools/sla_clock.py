"""The clock of a promise: when it runs, when it is kept, how much time is left.

Without the ORM: the same steps follow a ticket as it goes, and go through its history
when a policy is added later.
"""

from typing import NamedTuple

ANSWERS = ("first_answer", "next_answer")


class Policy(NamedTuple):
    """What the clock needs to know of a ``helpdesk.sla``, by ids."""

    id: int
    target: str
    hours: float
    warning: float
    priority: str
    tags: frozenset
    partners: frozenset
    reached_stages: frozenset
    paused_stages: frozenset
    waits_for_customer: bool

    def fits(self, priority, tags, partners):
        """Return whether it is about a ticket with these tags, of these partners."""
        return (
            (not self.priority or self.priority == priority)
            and (not self.tags or not self.tags.isdisjoint(tags))
            and (not self.partners or not self.partners.isdisjoint(partners))
        )


class Facts(NamedTuple):
    """What the clocks of a ticket depend on."""

    stage_id: int
    last_word: str
    ended: bool


class Clock:
    """One promise of a ticket. ``calendar`` counts and plans hours of work, see
    ``resource.calendar``; ``values`` are those of a ``helpdesk.sla.status``."""

    FIELDS = (
        "time",
        "consumed_hours",
        "running_since",
        "reached_datetime",
        "exceeded_hours",
        "deadline",
        "warn_date",
        "warned",
    )

    def __init__(self, policy, calendar, values=None):
        self.policy = policy
        self.calendar = calendar
        self.values = dict.fromkeys(self.FIELDS, False) | {
            "time": policy.hours,
            "consumed_hours": 0.0,
            "exceeded_hours": 0.0,
        }
        self.values |= values or {}

    def follow(self, facts, now):
        """Go on to ``now``, from when on the ticket is as ``facts`` say."""
        values = self.values
        if values["reached_datetime"]:
            if not self._is_undone(facts):
                return
            # What is left goes on: the time in between isn't counted.
            values |= {"reached_datetime": False, "exceeded_hours": 0.0}
        if self._is_reached(facts):
            self._stop(now)
            values |= {
                "reached_datetime": now,
                "exceeded_hours": values["consumed_hours"] - values["time"],
                "warn_date": False,
            }
        elif not self._runs(facts):
            self._stop(now)
            values |= {"deadline": False, "warn_date": False}
        elif not values["running_since"]:
            left = values["time"] - values["consumed_hours"]
            values["running_since"] = now
            values["deadline"] = self.calendar._helpdesk_plan(left, now)
            values["warn_date"] = (
                self.policy.warning > 0
                and not values["warned"]
                and self.calendar._helpdesk_plan(left - self.policy.warning, now)
            )

    def _is_reached(self, facts):
        if self.policy.target in ANSWERS:
            return facts.last_word == "us"
        return facts.stage_id in self.policy.reached_stages

    def _is_undone(self, facts):
        """A ticket that is opened again isn't solved. What was late stays so."""
        return (
            self.policy.target == "stage"
            and not self._is_reached(facts)
            and self.values["exceeded_hours"] <= 0
        )

    def _runs(self, facts):
        if facts.ended or facts.stage_id in self.policy.paused_stages:
            return False
        return not (self.policy.waits_for_customer and facts.last_word == "us")

    def _stop(self, now):
        if since := self.values["running_since"]:
            self.values["consumed_hours"] += self.calendar._helpdesk_count(since, now)
        self.values["running_since"] = False
