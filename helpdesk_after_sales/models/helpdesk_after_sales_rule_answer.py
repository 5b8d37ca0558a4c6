from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import lock_records
from ..tools.rules import Answer, Facts, Given, Money
from ..tools.warranty import get_day


class HelpdeskAfterSalesRule(models.Model):
    """The one place that says which rule answers (X10)."""

    _inherit = "helpdesk.after.sales.rule"

    @api.model
    def _are_there(self, companies, verdict=None):
        """Return whether a rule, of ``verdict`` if it is given, holds in one of these
        companies."""
        return any(
            verdict in (None, policy.verdict)
            for company in companies
            for policy in self._get_policies(company.id)
        )

    @api.model
    def _answer(self, acts, moment=None):
        """Return ``{act: Answer}``, in a fixed number of queries for any number of
        acts and lines.

        :param acts: list of :class:`RuleAct`, with records under ``sudo()``
        :param moment: as the rules would have answered then, naive, UTC; else now
        """
        answers = {act: Answer(rule=None) for act in acts}
        asked = [act for act in acts if self._get_policies(act.company.id)]
        for facts in self._collect_facts(asked, moment):
            policy = next(
                (
                    policy
                    for policy in self._get_policies(facts.act.company.id)
                    if policy.find_mismatch(facts) is None
                ),
                None,
            )
            answers[facts.act].add(
                facts,
                self.browse(policy and policy.id),
                policy.verdict if policy else "allow",
                policy.fee if policy else 0.0,
            )
        for answer in answers.values():
            answer.rule = answer.rule or self.browse()
        return answers

    @api.model
    def _hold_customers(self, acts):
        """Let nobody else give something to the customers of these acts until the
        commit, where rules count what they got."""
        held = self.env["res.partner"].sudo()  # sudo: rows are held, and unchanged
        for act in acts:
            if any(policy.amount for policy in self._get_policies(act.company.id)):
                held |= act.customer
        lock_records(held)

    @api.model
    def _raise_asking(self, act, answer):
        """Raise what a button of a pop-up turns into a request for an approval, see
        :func:`..tools.asking.asks_rules`. Whatever else makes a document is refused.

        :raises UserError: with the sentence of the rule
        """
        error = UserError(
            self.env._(
                "The rule “%(rule)s” wants a colleague to approve this: ask for it by "
                "the buttons of the helpdesk ticket. %(sentence)s",
                rule=answer.rule.name,
                sentence=answer.rule.message or "",
            ).strip()
        )
        error.helpdesk_asked = act, answer
        raise error

    # -- Facts ---------------------------------------------------------------

    @api.model
    def _collect_facts(self, acts, moment):
        """Return the :class:`Facts` of all lines of these acts."""
        if not acts:
            return []
        now = fields.Datetime.now()
        since = min(act.moment or moment or now for act in acts)
        given = self._collect_given(acts, since)
        deliveries = self._collect_deliveries(acts)
        result = []
        for act in acts:
            money = Money(
                own=act.amount,
                ticket_id=act.ticket.id,
                moment=act.moment or moment or now,
                # What two give in one second counts for both.
                until=act.moment or moment,
                rounding=act.company.currency_id.rounding,
                before=[
                    one
                    for one in given[act.company, act.customer]
                    if one.document != act.document
                ],
            )
            zone = act.customer._get_warranty_zone(act.company)
            today = get_day(money.moment, zone)
            facts_of_act = []
            for line in act.lines:
                facts = Facts(
                    act=act,
                    line=line,
                    money=money,
                    categories=self._get_categories(line.product),
                    tags=frozenset(act.customer.category_id.ids),
                    country=act.customer.country_id.id,
                )
                moves = self._filter_deliveries(deliveries, act, line)
                if moves:
                    facts.days = (today - moves[-1]._get_warranty_day()).days
                pieces = line.lot if line.lot.warranty_end else moves
                ends = [end for end in pieces.mapped("warranty_end") if end]
                facts.covered = bool(ends) and max(ends) >= today
                facts_of_act.append(facts)
            # Delivery charges and the like come with the goods.
            known = [facts.days for facts in facts_of_act if facts.days is not None]
            for facts in facts_of_act:
                if facts.days is None and facts.line.product.type == "service":
                    facts.days = max(known, default=None)
            result += facts_of_act
        return result

    @api.model
    def _get_categories(self, product):
        path = product.categ_id.parent_path or ""
        return frozenset(int(part) for part in path.split("/") if part)

    @api.model
    def _collect_deliveries(self, acts):
        """Return the deliveries, oldest first, of what these acts are about: of their
        order lines, and what their customers have of their products."""
        lines = [line for act in acts for line in act.lines]
        lines = [line for line in lines if not line.moves]
        sold = {line.sold.id for line in lines if line.sold}
        products = {line.product.id for line in lines if not line.sold and line.product}
        customers = {act.customer.id for act in acts if act.customer}
        moves = self.env["stock.move"].sudo()  # sudo: days of deliveries, no more
        if not sold and not (products and customers):
            return moves
        buyers = "sale_line_id.order_id.partner_id.commercial_partner_id"
        found = moves.search(
            Domain("state", "=", "done")
            & Domain("company_id", "in", {act.company.id for act in acts})
            & (
                Domain("sale_line_id", "in", sold)
                | (
                    Domain("product_id", "in", products)
                    & Domain(buyers, "in", customers)
                )
            ),
            order="date, id",
        )
        # What was sent in exchange doesn't begin anew.
        return found.filtered(
            lambda move: (
                move._is_first_hand() and not move._is_after_sales_replacement()
            )
        )

    @api.model
    def _filter_deliveries(self, deliveries, act, line):
        if line.moves:
            return line.moves
        if line.sold:
            moves = deliveries.filtered(lambda move: move.sale_line_id == line.sold)
        elif line.product:
            order = act.ticket.sale_order_id
            moves = deliveries.filtered(
                lambda move: (
                    move.product_id == line.product
                    and move._get_warranty_customer() == act.customer
                    and (not order or move.sale_line_id.order_id == order)
                )
            )
        else:
            return deliveries.browse()
        of_lot = line.lot and moves.filtered(
            lambda move: line.lot in move.move_line_ids.lot_id
        )
        return of_lot or moves

    @api.model
    def _collect_given(self, acts, moment):
        """Return ``{(company, customer): [Given]}`` as far as rules count it: what each
        customer got on tickets, at most as long ago as the rules look back."""
        found = defaultdict(list)
        counting = [
            act
            for act in acts
            if any(policy.amount for policy in self._get_policies(act.company.id))
        ]
        if not counting:
            return found
        days = max(
            policy.amount_days
            for act in counting
            for policy in self._get_policies(act.company.id)
        )
        empty = self.env["res.partner"].sudo()  # sudo: compared only
        return self._search_given(
            empty.union(*(act.customer for act in counting)),
            moment - timedelta(days=min(days, 36525)),
            empty.env["helpdesk.ticket"].union(*(act.ticket for act in counting)),
        )

    @api.model
    def _search_given(self, customers, since, tickets=None):
        """Return ``{(company, customer): [Given]}`` of what these customers got.

        :param customers: commercial partners
        :param tickets: of which everything counts, however long ago
        """
        found = defaultdict(list)
        when = Domain("create_date", ">=", since)
        if tickets:
            when |= Domain("helpdesk_ticket_id", "in", tickets.ids)
        for model in sorted(
            self.env.registry.descendants(["helpdesk.after.sales.document"], "_inherit")
        ):
            # sudo: what was given on tickets of any team; only its sum is used.
            documents = self.env[model].sudo()
            if documents._abstract:
                continue
            domain = documents._get_given_domain()
            if domain.is_false():
                continue
            # Whoever the ticket is for now, or was when it was given.
            theirs = Domain(
                "helpdesk_ticket_id.commercial_partner_id", "in", customers.ids
            ) | Domain("partner_id.commercial_partner_id", "in", customers.ids)
            on_tickets = Domain("helpdesk_ticket_id", "!=", False)
            for document in documents.search(domain & on_tickets & when & theirs):
                ticket = document.helpdesk_ticket_id
                given = Given(
                    date=document.create_date,
                    amount=document._get_given_amount(),
                    ticket_id=ticket.id,
                    document=document,
                )
                people = document.partner_id | ticket.partner_id
                for customer in people.commercial_partner_id & customers:
                    found[ticket.company_id, customer].append(given)
        return found

    # -- Words ---------------------------------------------------------------

    def _get_sentence(self):
        """Return what agents and customers read of this rule, in the language of the
        environment."""
        self.ensure_one()
        if self.message:
            return self.message
        if self.verdict == "refuse":
            return self.env._("We don't do this.")
        if self.verdict == "ask":
            return self.env._("We have to look at this first.")
        return self.env._("We do this.")

    @api.model
    def _describe_answer(self, answer):
        """Return what an agent reads of an answer: the rule, and what it does; or
        ``False`` when no rule fits."""
        rule = answer.rule
        if not rule:
            return False
        words = {
            "rule": rule.name,
            "sentence": rule.message or "",
            "fee": f"{answer.fee:g}",
        }
        if answer.verdict == "refuse":
            text = self.env._("The rule “%(rule)s” refuses this. %(sentence)s", **words)
        elif answer.verdict == "ask":
            text = self.env._(
                "The rule “%(rule)s” wants a colleague to approve this: they are asked "
                "when you press the button. %(sentence)s",
                **words,
            )
        elif answer.fee:
            text = self.env._(
                "The rule “%(rule)s” allows this with a fee of %(fee)s %%. "
                "%(sentence)s",
                **words,
            )
        else:
            text = self.env._("The rule “%(rule)s” allows this. %(sentence)s", **words)
        return text.strip()
