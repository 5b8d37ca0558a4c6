from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import is_html_empty


class HelpdeskTicket(models.Model):
    """Macros on tickets (X29)."""

    _inherit = "helpdesk.ticket"

    @api.model
    def mail_allowed_qweb_expressions(self):
        """Return the placeholders that everybody may use in texts on tickets."""
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.ticket_ref",
            "object.partner_name",
            "object.partner_email",
            "object.partner_phone",
            "object.team_id.name",
            "object.stage_id.name",
            "object.company_id.name",
            "object.sale_order_id.name",
            "object.product_id.name",
            "object.lot_id.name",
        )

    @api.readonly
    def action_macro(self):
        """Return the action that opens the pop-up **Macro** on these tickets.

        :raises AccessError: when one isn't the user's to work on
        """
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Macro"),
            "res_model": "helpdesk.macro.apply",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_ticket_ids": self.ids},
        }

    def _get_macro_language(self, internal=False):
        """Return the language that this ticket is answered in."""
        self.ensure_one()
        if internal:
            return self.env.lang
        return self.partner_id.lang or self.company_id.partner_id.lang or self.env.lang

    def _apply_macro(self, macro, body=None):
        """Write and do on these tickets what a macro says. All of it, or nothing.

        :param body: the text as the user has changed it, for a single ticket
        :raises AccessError: when one isn't the user's to work on
        :raises UserError: when the macro doesn't fit one of them
        """
        self.check_access("write")
        macro.check_access("read")
        self._check_macro(macro)
        texts = macro._render_for(self) if body is None else {self.id: body}
        # sudo: the files of a macro that the user may read; they are copied.
        files = [(file.name, file.raw) for file in macro.sudo().attachment_ids]
        for ticket in self:
            text = texts[ticket.id]
            if files or not is_html_empty(text):
                ticket._post_macro(text, files, macro.internal)
            if vals := macro._prepare_ticket_vals(ticket):
                ticket.write(vals)

    def _check_macro(self, macro):
        fits = macro.filtered_domain(macro._get_domain_of_teams(self.team_id))
        if not fits:
            raise UserError(
                self.env._(
                    "The macro %(macro)s isn't for %(teams)s: choose another one, or "
                    "fewer tickets.",
                    macro=macro.name,
                    teams=", ".join(self.team_id.mapped("name")),
                )
            )
        for team in self.team_id if macro.stage_id else ():
            if macro.stage_id not in team.stage_ids:
                raise UserError(
                    self.env._(
                        "%(team)s has no stage %(stage)s: choose another macro.",
                        team=team.name,
                        stage=macro.stage_id.name,
                    )
                )

    def _post_macro(self, text, files, internal):
        """Post the text of a macro in the user's name, to whom the answer form
        proposes.

        :raises UserError: when nobody would get it
        """
        self.ensure_one()
        values = {"body": text, "attachments": files, "message_type": "comment"}
        if internal:
            self.message_post(**values, subtype_xmlid="mail.mt_note")
            return
        proposed = self._message_get_suggested_recipients(
            reply_discussion=True, no_create=True
        )
        people = self.env["res.partner"].browse(
            info["partner_id"] for info in proposed if info["partner_id"]
        )
        people |= self._make_contacts(
            [info["email"] for info in proposed if not info["partner_id"]]
        )
        # sudo: only whether somebody outside of the company gets it.
        if not people.sudo().filtered(lambda p: p.partner_share and p.email):
            raise UserError(
                self.env._(
                    "Nothing was sent: ticket #%(number)s has no customer with an "
                    "email address. Enter one, or use a macro with an internal note.",
                    number=self.ticket_ref,
                )
            )
        self.message_post(
            **values, partner_ids=people.ids, subtype_xmlid="mail.mt_comment"
        )
