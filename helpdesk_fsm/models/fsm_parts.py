from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.helpdesk_after_sales.tools.reading import check_one


class ProjectTask(models.Model):
    """What the technician uses on a visit: taken from stock at once, and put on a
    quotation."""

    _inherit = "project.task"

    fsm_parts = fields.Text(
        string="Parts Used", compute="_compute_fsm_parts", groups="base.group_user"
    )

    @api.depends_context("lang")
    def _compute_fsm_parts(self):
        # sudo: what was used on visits that the user reads, and the numbers of their
        # quotations.
        orders = self.env["sale.order"].sudo()
        found = orders.search([("helpdesk_task_id", "in", self.ids)], order="id")
        by_task = found.grouped(lambda order: order.helpdesk_task_id.id)
        for task in self:
            mine = by_task.get(task._origin.id, orders)
            lines = [order._describe_fsm_parts() for order in mine]
            task.fsm_parts = "\n".join(lines) or False

    def action_fsm_parts(self):
        """Return the action that opens the pop-up **Parts Used**.

        :raises AccessError: when the visit isn't the user's to work on
        :raises UserError: when it was cancelled, is no visit, or has no customer
        """
        check_one(self)
        self._check_fsm_parts()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Parts Used"),
            "res_model": "fsm.task.parts",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_task_id": self.id, "dialog_size": "large"},
        }

    def action_view_fsm_quotations(self):
        """Return the action for the quotations of what was used on this visit.

        :raises AccessError: without rights to Sales
        """
        check_one(self)
        self.check_access("read")
        orders = self.env["sale.order"]
        orders.check_access("read")
        # sudo: the ids of a visit that the user reads; opened with their own rights.
        mine = orders.sudo().search([("helpdesk_task_id", "=", self.id)])
        return mine.sudo(False)._get_records_action(
            name=self.env._("Quotations"), context={"create": False}
        )

    def _check_fsm_parts(self):
        """Refuse who can't work on this visit, and what is no visit.

        :raises AccessError, UserError: with one sentence
        """
        self.check_access("write")
        if not self._is_fsm_user():
            # Everybody has tasks of their own.
            raise AccessError(
                self.env._("Only field service and project users can take parts.")
            )
        if not self.is_fsm or self.state == "1_canceled":
            raise UserError(
                self.env._(
                    "Parts can only be used on visits, and this is no longer one."
                )
            )
        if not self.partner_id:
            raise UserError(
                self.env._("%(task)s has no customer: choose one.", task=self.name)
            )

    def _get_fsm_company(self):
        """Return the company whose stock the parts of this visit are of."""
        self.ensure_one()
        # sudo: the company of the ticket, and nothing else of it.
        ticket = self.sudo().helpdesk_ticket_id
        return self.company_id or ticket.company_id.sudo(False) or self.env.company

    # -- What is made --------------------------------------------------------

    def _take_fsm_parts(self, location, parts, free=False):
        """Take parts out of stock, and put them on the quotation of this visit.

        Called with ``sudo()``, after everything was checked. Odoo counts on the order
        what was delivered: confirming it delivers nothing more.

        :param location: where they were
        :param parts: lines of the pop-up
        :param free: they cost nothing
        """
        self.ensure_one()
        order = self._get_fsm_quotation(location.warehouse_id)
        operation = (location.warehouse_id or order.warehouse_id).out_type_id
        customer = self.partner_id.with_company(order.company_id)
        places = {
            "location_id": location.id,
            "location_dest_id": customer.property_stock_customer.id,
        }
        transfer = self.env["stock.picking"].create(
            {
                "picking_type_id": operation.id,
                "partner_id": customer.id,
                "company_id": order.company_id.id,
                "origin": order.origin,
                **places,
            }
        )
        price = {"price_unit": 0.0} if free else {}
        for part in parts:
            quantity = {"product_uom_qty": part.quantity}
            line = order.order_line.create(
                {"order_id": order.id, "product_id": part.product_id.id}
                | quantity
                | price
            )
            move = transfer.move_ids.create(
                {
                    "picking_id": transfer.id,
                    "product_id": part.product_id.id,
                    "product_uom": part.uom_id.id,
                    "company_id": order.company_id.id,
                    "sale_line_id": line.id,
                    **quantity,
                    **places,
                }
            )
            move._action_confirm(merge=False)
            move._do_unreserve()
            move.move_line_ids = [
                Command.create(values | {"picking_id": transfer.id, "picked": True})
                for values in part._find_pieces(location)
            ]
        transfer.with_context(skip_sms=True)._action_done()
        sentence = self.env._(
            "Parts used, taken from %(place)s with %(transfer)s: %(parts)s. On "
            "quotation %(quotation)s.",
            place=location.display_name,
            transfer=transfer.name,
            parts=", ".join(part._describe() for part in parts),
            quotation=order.name,
        )
        self._message_log(body=sentence)
        self._fsm_tell(sentence)
        return order

    def _get_fsm_quotation(self, warehouse):
        """Return the quotation of this visit that nobody has sent yet, or a new one.
        Called with ``sudo()``."""
        company = self._get_fsm_company()
        orders = self.env["sale.order"].with_company(company)
        customer = self.partner_id
        found = orders.search(
            [
                ("helpdesk_task_id", "=", self.id),
                ("state", "=", "draft"),
                ("partner_id", "=", customer.id),
                ("company_id", "=", company.id),
            ],
            limit=1,
        )
        ticket = self.helpdesk_ticket_id
        return found or orders.create(
            {
                "partner_id": customer.id,
                "company_id": company.id,
                "helpdesk_task_id": self.id,
                "origin": f"{self.name} #{ticket.ticket_ref}" if ticket else self.name,
            }
            | ({"warehouse_id": warehouse.id} if warehouse else {})
        )
