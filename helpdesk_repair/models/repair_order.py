from odoo import api, fields, models
from odoo.fields import Domain


class RepairOrder(models.Model):
    _name = "repair.order"
    _inherit = ["repair.order", "helpdesk.after.sales.document"]

    helpdesk_readable = fields.Boolean(
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
        help="Technical: for the record rule of helpdesk users.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        # sudo: the ids only; the domain is asked as the user himself.
        readable = self.sudo().search(
            Domain("id", "in", self.ids) & Domain("helpdesk_readable", "=", True)
        )
        for repair in self:
            repair.helpdesk_readable = repair.sudo() in readable

    @api.model
    def _search_helpdesk_readable(self, operator, value):
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "helpdesk_ticket_id", operator, value
        )

    def write(self, vals):
        before = {repair: repair.state for repair in self if "state" in vals}
        result = super().write(vals)
        told = self._get_helpdesk_state_sentences()
        self._after_sales_tell_ticket(
            {
                repair: told[repair.state] % {"repair": repair._get_html_link()}
                for repair, state in before.items()
                if repair.helpdesk_ticket_id
                and repair.state != state
                and repair.state in told
            }
        )
        return result

    @api.model
    def _get_helpdesk_state_sentences(self):
        """Return ``{state: sentence}`` for the ticket when a repair gets there."""
        return {
            "confirmed": self.env._("Repair %(repair)s was confirmed."),
            "under_repair": self.env._("Repair %(repair)s was started."),
            "done": self.env._("Repair %(repair)s is done."),
            "cancel": self.env._("Repair %(repair)s was cancelled."),
        }

    def get_formview_id(self, access_uid=None):
        """Agents without rights to Inventory get a form that reads no more than they
        may (S98, S99)."""
        user = self.env["res.users"].browse(access_uid) if access_uid else self.env.user
        if self._helpdesk_reads_as_agent(user):
            return self.env.ref("helpdesk_repair.repair_order_view_form_agent").id
        return super().get_formview_id(access_uid)

    def _get_records_action(self, **kwargs):
        if self._helpdesk_reads_as_agent(self.env.user):
            views = [
                (
                    self.env.ref(f"helpdesk_repair.repair_order_view_{kind}_agent").id,
                    kind,
                )
                for kind in ("list", "form")
            ]
            kwargs.setdefault("views", views if len(self) != 1 else views[1:])
        return super()._get_records_action(**kwargs)

    @api.model
    def _helpdesk_reads_as_agent(self, user):
        return user.has_group(
            "helpdesk_after_sales.group_helpdesk_user"
        ) and not user.has_group("stock.group_stock_user")

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        return self.env._("Repair")
