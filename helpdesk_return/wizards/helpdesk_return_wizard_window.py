from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskReturnWizard(models.TransientModel):
    """The time in which something can be returned (X21)."""

    _inherit = "helpdesk.return.wizard"

    window_notice = fields.Char(compute="_compute_window_notice")
    window_reason = fields.Char(
        string="Override Reason",
        help="Why it is taken back although it can't be returned any more.",
    )

    @api.depends("line_ids.window_refusal")
    def _compute_window_notice(self):
        for wizard in self:
            late = filter(None, wizard.line_ids.mapped("window_refusal"))
            wizard.window_notice = " ".join(dict.fromkeys(late))

    def _get_window_refusal(self, move):
        """Return why this delivery can't be returned any more, or ``False``. What a
        customer asked for in time was asked for in time.

        :param move: of a delivery of the customer, with ``sudo()``
        """
        asked = self._get_request_lines().mapped("create_date")
        return move._get_helpdesk_window_refusal(min(asked, default=None))

    def _check_window(self, moves):
        """Refuse what can't be returned any more, unless the agent says why, and the
        team lets them. Returns the sentence for the ticket, or ``False``.

        :param moves: deliveries of which something comes back, with ``sudo()``
        """
        late = [
            sentence for move in moves if (sentence := self._get_window_refusal(move))
        ]
        if not late:
            return False
        words = " ".join(dict.fromkeys(late))
        team = self.helpdesk_ticket_id.team_id
        if team.return_window_managers and not self.env.user.has_group(
            "helpdesk_after_sales.group_helpdesk_manager"
        ):
            raise UserError(
                self.env._(
                    "%(words)s Only Helpdesk administrators can take it back anyway.",
                    words=words,
                )
            )
        if not (self.window_reason or "").strip():
            raise UserError(
                self.env._("%(words)s Enter why it is taken back anyway.", words=words)
            )
        return self.env._(
            "%(words)s Taken back anyway: %(reason)s",
            words=words,
            reason=self.window_reason.strip(),
        )


class HelpdeskReturnWizardLine(models.TransientModel):
    _inherit = "helpdesk.return.wizard.line"

    window_refusal = fields.Char(compute="_compute_figures")

    def _prepare_figures(self, balance):
        figures = super()._prepare_figures(balance) | {"window_refusal": False}
        if figures["returnable_quantity"] and not figures["refusal"]:
            # sudo: see _compute_figures
            move = self.move_id.sudo()._origin
            move = move or self.kit_line_id.sudo()._origin.move_ids.filtered(
                lambda move: move in balance.goods
            )
            late = self.wizard_id._get_window_refusal(move[:1])
            figures |= {"refusal": late, "window_refusal": late}
        return figures
