from odoo import models
from odoo.exceptions import AccessError
from odoo.tools import SQL, email_normalize


class PrivacyLookupWizard(models.TransientModel):
    """Odoo's lookup finds the tickets of people who have no contact, too."""

    _inherit = "privacy.lookup.wizard"

    def _get_query(self):
        query = super()._get_query()
        email = email_normalize(self.email.strip())
        # Odoo finds those of contacts: each ticket is told once.
        return SQL(
            """
            %s
            UNION
            SELECT %s AS res_model_id, id AS res_id, active AS is_active
              FROM helpdesk_ticket
             WHERE partner_email ILIKE %s OR email_cc ILIKE %s OR partner_name ILIKE %s
                   OR id IN (SELECT res_id FROM mail_message
                              WHERE model = 'helpdesk.ticket'
                                AND author_id IS NULL AND email_from ILIKE %s)
            """,
            query,
            self.env["ir.model"]._get_id("helpdesk.ticket"),
            f"%{email}%",
            f"%{email}%",
            self.name.strip(),
            f"%{email}%",
        )


class PrivacyLookupWizardLine(models.TransientModel):
    _inherit = "privacy.lookup.wizard.line"

    def action_helpdesk_anonymize(self):
        """Anonymize the ticket of this line. Returns ``None``.

        :raises AccessError: when the user may not write the lookup, or it isn't about a
            ticket
        """
        self.ensure_one()
        self.check_access("write")
        if self.res_model != "helpdesk.ticket" or not self.env.user.has_group(
            "base.group_system"
        ):
            raise AccessError(
                self.env._(
                    "Only administrators can anonymize the tickets that were found."
                )
            )
        # sudo: an administrator works on the lookup, as was just checked; as Odoo
        # deletes what was found.
        self.env["helpdesk.ticket"].sudo().browse(self.res_id).exists()._anonymize()
        self.execution_details = self.env._("Anonymized Ticket #%s", self.res_id)
