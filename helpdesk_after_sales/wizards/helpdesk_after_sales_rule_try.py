from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.rules import RuleLine


class HelpdeskAfterSalesRuleTry(models.TransientModel):
    """A box to try a ticket, or one of its customer's order lines: which rule answers,
    and why the ones above it don't (X10)."""

    _name = "helpdesk.after.sales.rule.try"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Try the rules"

    ticket_id = fields.Many2one(comodel_name="helpdesk.ticket", ondelete="cascade")
    company_id = fields.Many2one(related="ticket_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    service_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.service",
        default=lambda self: self.env["helpdesk.after.sales.service"].search(
            Domain.TRUE, limit=1
        ),
    )
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Order Line",
        help="Empty: what the ticket is about.",
    )
    reason_id = fields.Many2one(comodel_name="helpdesk.after.sales.reason")
    amount_known = fields.Boolean(string="Amount Is Known", default=True)
    amount = fields.Monetary(help="With taxes: what would be given now.")
    answer = fields.Char(compute="_compute_answer")
    explanation = fields.Html(compute="_compute_answer", sanitize=False)

    @api.depends(
        "ticket_id",
        "service_id",
        "sale_line_id",
        "reason_id",
        "amount_known",
        "amount",
    )
    def _compute_answer(self):
        # sudo: managers may read rules; the facts are those of the ticket.
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        for box in self:
            box.answer = box.explanation = False
            if act := box._get_rule_act():
                answer = rules._answer([act])[act]
                box.answer = rules._describe_answer(answer) or self.env._(
                    "No rule fits: it is not limited."
                )
                box.explanation = Markup("").join(
                    box._explain(facts, decided) for facts, decided in answer.lines
                )

    def _explain(self, facts, decided):
        """Return a table of the rules up to the one that decided about a line: what
        each says, and why it doesn't fit."""
        rules = self.env["helpdesk.after.sales.rule"]
        verdicts = dict(rules._fields["verdict"]._description_selection(self.env))
        rows = []
        for policy in rules._get_policies(facts.act.company.id):
            why = policy.find_mismatch(facts)
            name = rules.sudo().browse(policy.id).name  # sudo: see _compute_answer
            cells = (name, verdicts[policy.verdict], self._describe(why, facts, policy))
            row = Markup("<td>%s</td>" * 3) % cells
            chosen = policy.id == decided.id
            rows.append(
                Markup('<tr class="%s">%s</tr>')
                % ("table-active fw-bold" if chosen else "", row)
            )
            if chosen:
                break
        return Markup(
            '<h4>%s</h4><table class="table table-sm"><tbody>%s</tbody></table>'
        ) % (
            facts.line.product.display_name or self.env._("Any product"),
            Markup("").join(rows),
        )

    def _get_rule_act(self):
        ticket = self.ticket_id._origin
        if not ticket or not self.service_id or not ticket.has_access("read"):
            return None
        # sudo: compared by the rules; the line is one that the user may read, or that
        # the ticket offers.
        sold, reason = self.sudo().sale_line_id._origin, self.sudo().reason_id._origin
        lines = sold and [
            RuleLine(sold.product_id, reason, sold, sold.env["stock.lot"])
        ]
        return ticket._new_rule_act(
            self.service_id.switch,
            lines,
            self.amount if self.amount_known else None,
            reason,
        )

    def _describe(self, name, facts, policy):
        """Return why a rule doesn't fit, or that it does."""
        match name:
            case None:
                return self.env._("Fits.")
            case "services":
                return self.env._("About other services.")
            case "teams":
                return self.env._("About other teams.")
            case "products" | "categories":
                return self.env._("About other products.")
            case "reasons":
                return self.env._("About other reasons.")
            case "tags" | "countries":
                return self.env._("About other customers.")
            case "days":
                if facts.days is None:
                    return self.env._("No delivery is known.")
                return self.env._(
                    "Delivered %(days)s days ago, not at most %(most)s.",
                    days=facts.days,
                    most=policy.days,
                )
            case "warranty":
                if facts.covered:
                    return self.env._("Under warranty.")
                return self.env._("Not under warranty.")
        total = facts.money.get_total(policy.amount_days)
        if total is None:
            return self.env._("Nobody knows the amount.")
        currency = facts.act.company.currency_id
        return self.env._(
            "%(total)s with what the customer got before, not at most %(most)s.",
            total=currency.format(total),
            most=currency.format(policy.amount),
        )
