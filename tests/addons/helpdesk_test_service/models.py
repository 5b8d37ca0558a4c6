from odoo import fields, models


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    use_maintenance = fields.Boolean(string="Maintenance")


class MaintenanceRequest(models.Model):
    _name = "maintenance.request"
    _inherit = ["helpdesk.after.sales.document", "maintenance.request"]


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    use_maintenance = fields.Boolean(related="team_id.use_maintenance")
    maintenance_count = fields.Integer(compute="_compute_maintenance_count")

    def _compute_maintenance_count(self):
        counts = self._after_sales_count("maintenance.request")
        for ticket in self:
            ticket.maintenance_count = counts.get(ticket._origin, 0)

    def action_maintenance(self):
        return self._open_after_sales_wizard("helpdesk.test.wizard", "use_maintenance")

    def action_view_maintenance(self):
        return self._open_after_sales_documents("maintenance.request")


class HelpdeskTestWizard(models.TransientModel):
    _name = "helpdesk.test.wizard"
    _inherit = "helpdesk.after.sales.wizard"
    _description = "Maintenance from a helpdesk ticket"
    _after_sales_switch = "use_maintenance"
    _after_sales_result = "request_id"

    name = fields.Char(required=True)
    request_id = fields.Many2one(comodel_name="maintenance.request")

    def action_confirm(self):
        if made := self._begin():
            return made
        vals = {"name": self.name, "helpdesk_ticket_id": self.helpdesk_ticket_id.id}
        # sudo: _begin proved that the user may work on this ticket.
        requests = self._without_defaults().sudo().env["maintenance.request"]
        self.request_id = requests.create(vals)
        self._approve_request(self.request_id)
        return self.request_id._get_records_action()
