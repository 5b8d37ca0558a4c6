from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity, lock_records


class RepairOrder(models.Model):
    _name = "repair.order"
    _inherit = [
        "helpdesk.after.sales.document",
        "helpdesk.readable.mixin",
        "repair.order",
    ]

    _after_sales_first_line = True
    _helpdesk_ticket_path = "helpdesk_ticket_id"

    def action_create_helpdesk_ticket(self):
        """Return the action that opens a new ticket about this repair, filled from it;
        saving links the two.

        :raises AccessError: for users who may not create tickets
        """
        self.ensure_one()
        tickets = self.env["helpdesk.ticket"]
        values = {
            "partner_id": self.partner_id.id,
            "team_id": tickets._default_team_id(self.company_id).id,
            "product_id": self.product_id.id,
        }
        draft = tickets.new(values)
        # Of goods that were bought elsewhere only the product can be named.
        if self.lot_id and draft._is_purchased(self.lot_id):
            values["lot_id"] = self.lot_id.id
        values["repair_ids"] = [Command.link(self.id)]
        return tickets._get_new_ticket_action(values)

    def _confirm_with_stock(self):
        """Confirm this repair if Inventory has the piece where it is repaired; returns
        whether it was confirmed. The application asks for more: that the customer of
        the repair, or nobody, owns it.
        """
        self.ensure_one()
        if self.product_id.is_storable and self._is_piece_here():
            return self._action_repair_confirm()
        return not isinstance(self.action_validate(), dict)

    def action_confirm_for_ticket(self):
        """Confirm a draft: one that waited for its product, or whose quotation the
        customer accepted (goods B2). For agents who may work on the ticket.

        Returns the action that opens the repair; or the pop-up that asks, when the
        product isn't in stock.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the repair is no draft any more
        """
        self.ensure_one()
        ticket = self.helpdesk_ticket_id
        ticket._check_after_sales("use_product_repairs")
        # sudo: the user may work on the ticket of this repair.
        repair = self.sudo()
        lock_records(repair)
        repair.invalidate_recordset(["state"])
        if repair.state != "draft":
            raise UserError(
                self.env._(
                    "Repair %(repair)s is no longer a draft.", repair=repair.name
                )
            )
        repair._follow_piece()
        if repair._confirm_with_stock():
            return self._get_records_action(context={})
        wizard = self.env["helpdesk.repair.wizard"].create(
            {
                "helpdesk_ticket_id": ticket.id,
                "product_id": repair.product_id.id,
                "lot_id": repair.lot_id.id,
                "helpdesk_reason_id": repair.helpdesk_reason_id.id,
            }
        )
        # sudo: the draft of this very ticket, which the pop-up asks about.
        wizard.sudo().write({"repair_id": repair.id, "shortage": True})
        return wizard._reopen(self.env._("Repair Reference"))

    def write(self, vals):
        before = {repair: repair.state for repair in self if "state" in vals}
        result = super().write(vals)
        if self.env.su and self.env.context.get("helpdesk_tells_ticket"):
            return result
        changed = [
            repair
            for repair, state in before.items()
            if repair.helpdesk_ticket_id and repair.state not in (state, "draft")
        ]
        if ended := [repair for repair in changed if repair.state == "done"]:
            # Nothing is left to refuse.
            self.env["helpdesk.after.sales.step"]._drop(self.union(*ended))
        self._after_sales_tell_ticket(
            {repair: repair._get_helpdesk_state_sentence() for repair in changed}
        )
        return result

    def _get_helpdesk_state_sentence(self):
        """Return the sentence for the ticket when this repair has reached its state."""
        repair = self._get_html_link()
        match self.state:
            case "confirmed":
                return self.env._("Repair %(repair)s was confirmed.", repair=repair)
            case "under_repair":
                return self.env._("Repair %(repair)s was started.", repair=repair)
            case "done":
                return self.env._("Repair %(repair)s is done.", repair=repair)
            case _:
                return self.env._("Repair %(repair)s was cancelled.", repair=repair)

    @api.model
    def _get_agent_views(self, user):
        # Most users of Repairs have this group: nothing need be asked for them.
        if user.has_group("stock.group_stock_user"):
            return {}
        return super()._get_agent_views(user)

    @api.model
    def _after_sales_agent_views(self):
        view_id = self.env["ir.model.data"]._xmlid_to_res_id
        return {
            kind: view_id(f"helpdesk_repair.repair_order_view_{kind}_agent")
            for kind in ("list", "form")
        }

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        return self.env._("Repair")

    def _prepare_timeline_values(self, customer=False):
        values = super()._prepare_timeline_values(customer)
        states = {
            "draft": (self.env._("New"), "info"),
            "confirmed": (self.env._("Planned"), "info"),
            "under_repair": (self.env._("In repair"), "warning"),
            "done": (self.env._("Repaired"), "success"),
            "cancel": (self.env._("Cancelled"), "secondary"),
        }
        values["state"], values["style"] = states[self.state]
        quantity = format_quantity(self.env, self.product_qty, self.product_uom)
        values["detail"] = " ".join(
            filter(
                None,
                (
                    f"{quantity} × {self.product_id.display_name}"
                    if self.product_id
                    else "",
                    self.lot_id.name,
                ),
            )
        )
        if self.state in ("confirmed", "under_repair"):
            values["promised"] = self.schedule_date
            values["promise"] = self.env._("Planned for %(date)s")
        return values
