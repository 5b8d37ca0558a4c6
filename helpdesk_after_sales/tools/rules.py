"""Rules as they are asked: what a rule wants, what an act is, which one fits.

Without the ORM, so that 200 rules cost next to nothing: the models collect the facts of
all acts in a fixed number of queries, see ``helpdesk.after.sales.rule``.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

#: from the mildest to the strictest
VERDICTS = ("allow", "ask", "refuse")


class Policy(NamedTuple):
    """What a ``helpdesk.after.sales.rule`` wants, by ids. Empty sets, 0 and "" fit
    everything."""

    id: int
    company: int
    services: frozenset
    teams: frozenset
    products: frozenset
    categories: frozenset
    reasons: frozenset
    tags: frozenset
    countries: frozenset
    days: int
    warranty: str
    amount: float
    amount_days: int
    verdict: str
    fee: float

    def find_mismatch(self, facts):
        """Return the name of the first condition that ``facts`` don't fulfil, or
        ``None`` when the rule fits. What isn't known fulfils no condition."""
        wanted = (
            ("services", {facts.act.service}),
            ("teams", {facts.act.team.id}),
            ("products", {facts.line.product.id}),
            ("categories", facts.categories),
            ("reasons", {facts.line.reason.id}),
            ("tags", facts.tags),
            ("countries", {facts.country}),
        )
        for name, found in wanted:
            if (chosen := getattr(self, name)) and chosen.isdisjoint(found):
                return name
        if self.days and (facts.days is None or facts.days > self.days):
            return "days"
        if self.warranty and facts.covered != (self.warranty == "yes"):
            return "warranty"
        if self.amount and not facts.money.is_within(self.amount, self.amount_days):
            return "amount"
        return None

    def covers(self, other):
        """Return whether this rule fits wherever ``other`` does, which then never
        answers when it comes later."""
        names = ("services", "teams", "products", "categories", "reasons")
        return (
            self.company in (0, other.company)
            and all(
                not (mine := getattr(self, name))
                or ((theirs := getattr(other, name)) and mine >= theirs)
                for name in (*names, "tags", "countries")
            )
            and (not self.days or 0 < other.days <= self.days)
            and self.warranty in ("", other.warranty)
            and (
                not self.amount
                or (
                    0 < other.amount <= self.amount
                    and self.amount_days <= other.amount_days
                )
            )
        )


@dataclass(eq=False)
class RuleLine:
    """One thing that is given, by records; each of them may be empty."""

    product: object
    reason: object
    #: line of the order
    sold: object
    lot: object
    #: the deliveries that it is of, where they are known
    moves: object = None


@dataclass(eq=False)
class RuleAct:
    """What somebody is about to give, or has made a document of."""

    #: field of the team that switches the service on
    service: str
    team: object
    company: object
    #: commercial partner
    customer: object
    ticket: object
    lines: list
    #: with taxes, in the currency of the company; ``None``: nobody knows
    amount: float | None
    #: the document, when there is one already
    document: object = None
    #: when it was given; ``None``: now
    moment: object = None


class Given(NamedTuple):
    """What a customer got before."""

    date: object
    amount: float
    ticket_id: int
    document: object


@dataclass(eq=False)
class Money:
    """What an act is worth together with what the customer got before: on the same
    ticket at any time, on the others in the days that a rule says."""

    own: float | None
    ticket_id: int
    moment: object
    rounding: float
    before: list
    #: nothing after it counts, when the rules are asked about the past
    until: object = None

    def get_total(self, days):
        """Return the sum, or ``None`` when nobody knows it."""
        if self.own is None:
            return None
        since = self.moment - timedelta(days=days)
        return self.own + sum(
            given.amount
            for given in self.before
            if (not self.until or given.date <= self.until)
            and (
                (self.ticket_id and given.ticket_id == self.ticket_id)
                or (days and given.date >= since)
            )
        )

    def is_within(self, amount, days):
        """Return whether the sum is at most ``amount``."""
        total = self.get_total(days)
        return total is not None and total < amount + self.rounding / 2


@dataclass(eq=False)
class Facts:
    """What is known of one line of an act."""

    act: RuleAct
    line: RuleLine
    money: Money
    categories: frozenset = frozenset()
    tags: frozenset = frozenset()
    country: int = 0
    #: since the last delivery
    days: int | None = None
    covered: bool = False


@dataclass(eq=False)
class Answer:
    """What the rules say to an act: the strictest of what they say to its lines."""

    verdict: str = "allow"
    #: the one that decided, or no record
    rule: object = None
    #: percent that is kept back of a refund, at least
    fee: float = 0.0
    #: ``[(facts, rule)]``
    lines: list = field(default_factory=list)

    def add(self, facts, rule, verdict, fee):
        """Take in what a rule, or none, says to one line."""
        self.lines.append((facts, rule))
        if not self.rule or VERDICTS.index(verdict) > VERDICTS.index(self.verdict):
            self.verdict, self.rule = verdict, rule
        self.fee = max(self.fee, fee)
