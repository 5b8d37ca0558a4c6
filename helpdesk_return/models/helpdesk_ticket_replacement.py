from odoo import api, fields, models
from odoo.exceptions import UserError

from .helpdesk_ticket import WITHOUT_RETURN


class HelpdeskTicket(models.Model):
    """Replacements though nothing comes back (X23)."""

    _inherit = "helpdesk.ticket"

    use_product_replacements = fields.Boolean(
        related="team_id.use_product_replacements",
        string="Use Replacements",
        groups="base.group_user",
    )
    replacements_count = fields.Integer(
        string="Number of Replacements",
        compute="_compute_replacements_count",
        groups="base.group_user",
    )

    def _compute_replacements_count(self):
        count = self._after_sales_count("stock.picking", WITHOUT_RETURN)
        for ticket in self:
            ticket.replacements_count = count.get(ticket._origin, 0)

    @api.readonly
    def action_replacement(self):
        """Return the action that opens the pop-up **Replacement** (X23).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when replacements are off for the team, or nothing was
            delivered
        """
        self.ensure_one()
        action = self._open_after_sales_wizard(
            "helpdesk.replacement.wizard",
            "use_product_replacements",
            self.env._("Replacement"),
            dialog_size="extra-large",
        )
        if not self.has_delivery:
            raise UserError(
                self.env._(
                    "%(customer)s has no completed delivery: there is nothing to "
                    "replace.",
                    customer=self.partner_id.display_name,
                )
            )
        return action

    @api.readonly
    def action_view_replacements(self):
        """Return the action for the deliveries that this ticket sent though nothing
        comes back (X23)."""
        self.ensure_one()
        self.check_access("read")
        action = self._open_after_sales_documents("stock.picking", WITHOUT_RETURN)
        return action | {"name": self.env._("Replacements")}

    def _get_purchase_actions(self, line, values):
        actions = super()._get_purchase_actions(line, values)
        goods = line.product_id.type == "consu"
        if (
            self.use_product_replacements
            and goods
            and line.product_uom_id.compare(values["delivered"], values["returned"]) > 0
        ):
            actions.append(
                {
                    "method": "action_replacement",
                    "label": self.env._("Replace"),
                    "context": {
                        "default_sale_order_id": values["order_id"],
                        "default_proposed_line": line.id,
                    },
                }
            )
        return actions
