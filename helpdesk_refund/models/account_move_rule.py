from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import float_compare

from odoo.addons.helpdesk_after_sales.tools.reading import check_one
from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _is_rule_conceded(self, source):
        """Return whether this line credits an amount of ``source``, a line of the
        invoice, and no pieces of it at their price."""
        return any(
            float_compare(self[name], source[name], precision_digits=6)
            for name in ("price_unit", "discount")
        )


class AccountMove(models.Model):
    """What a credit note gives, for the rules (X10): asked when it is made on a ticket,
    and when it is posted, since a draft may have been raised."""

    _inherit = "account.move"

    helpdesk_needs_approval = fields.Boolean(
        compute="_compute_helpdesk_needs_approval",
        groups="base.group_user",
        export_string_translation=False,
    )

    def _get_rule_act(self):
        if self.move_type != "out_refund" or self.state == "cancel":
            return super()._get_rule_act()
        goods = self.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and line.price_total > 0
        )
        lines = [
            RuleLine(
                line.product_id,
                self.helpdesk_reason_id,
                line.sale_line_ids[:1],
                self.env["stock.lot"],
            )
            for line in goods
        ]
        return self._new_rule_act("use_credit_notes", lines, self._get_given_amount())

    @api.model
    def _get_given_domain(self):
        # What a new invoice replaces gives nothing.
        return (
            Domain("move_type", "=", "out_refund")
            & Domain("state", "!=", "cancel")
            & Domain("helpdesk_is_replaced", "=", False)
        )

    def _get_given_amount(self):
        return abs(self.amount_total_signed)

    def _check_rule_answer(self, act, answer):
        super()._check_rule_answer(act, answer)
        if not answer.fee or self.helpdesk_is_replaced:
            return
        most = self._get_rule_worth() * (1 - answer.fee / 100)
        # A cent for each line, as their taxes are rounded.
        slack = self.currency_id.rounding * (len(self.invoice_line_ids) + 1)
        if self.amount_total > most + slack:
            raise UserError(
                self.env._(
                    "The rule “%(rule)s” keeps a fee of %(fee)s %%: at most %(most)s "
                    "can be paid back for these goods, not %(amount)s.",
                    rule=answer.rule.name,
                    fee=f"{answer.fee:g}",
                    most=self._format_refund(most),
                    amount=self._format_refund(self.amount_total),
                )
            )

    def _get_rule_worth(self):
        """Return what was paid, with taxes, for what this credit note is about, in its
        currency."""
        worth, seen = 0.0, self.invoice_line_ids.browse()
        for line in self.invoice_line_ids:
            source = line.helpdesk_refunded_line_id
            if source and source.quantity:
                if source not in seen:
                    seen |= source
                    same = self.invoice_line_ids.filtered(
                        lambda other, s=source: other.helpdesk_refunded_line_id == s
                    )
                    quantity = sum(same.mapped("quantity"))
                    if line._is_rule_conceded(source):
                        quantity = source.quantity  # an amount of the whole line
                    worth += source.price_total / source.quantity * quantity
            else:
                worth += max(line.price_total, 0.0)
        return worth

    # -- Approvals -----------------------------------------------------------

    @api.depends("state", "amount_total", "helpdesk_approval_id")
    def _compute_helpdesk_needs_approval(self):
        for move in self:
            move.helpdesk_needs_approval = bool(move._get_wanted_approval())

    def _get_wanted_approval(self):
        """Return ``(act, answer)`` when a rule wants somebody to approve this draft
        before it is posted, or ``None``."""
        # sudo: whether a rule wants it is all that is told.
        note = self.sudo()
        rules = note.env["helpdesk.after.sales.rule"]
        ticket = note.helpdesk_ticket_id
        if (
            not ticket
            or note.state != "draft"
            or note.move_type != "out_refund"
            or not rules._are_there(ticket.company_id, "ask")
        ):
            return None
        act = note._get_rule_act()
        answer = rules._answer([act])[act]
        if answer.verdict != "ask" or note._is_approved(act):
            return None
        return act, answer

    def action_helpdesk_ask_approval(self):
        """Ask a colleague to approve this draft of a ticket, who then posts it. Returns
        the action that shows what was asked for.

        :raises AccessError: when credit note or ticket aren't the user's
        :raises UserError: when no approval is needed, or nobody else may give it
        """
        check_one(self)
        self.check_access("write")
        ticket = self.helpdesk_ticket_id
        ticket.check_access("read")
        wanted = self._get_wanted_approval()
        if not wanted:
            raise UserError(self.env._("This can be posted without an approval."))
        act, answer = wanted
        approval = self.env["helpdesk.after.sales.approval"]._ask(
            ticket,
            act,
            answer,
            self.env._(
                "Post %(note)s of %(amount)s for %(customer)s.",
                note=self._get_refund_title(),
                amount=self._format_refund(self.amount_total),
                customer=self.partner_id.display_name,
            ),
            res_model=self._name,
            res_id=self.id,
            button="action_post",
        )
        return approval._tell_asked()
