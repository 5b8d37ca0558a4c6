from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import email_normalize, email_normalize_all


class HelpdeskTeam(models.Model):
    """How a team takes its mail, and who of it hears of what."""

    _inherit = "helpdesk.team"

    relay_addresses = fields.Char(
        string="Forms and Groups",
        help="Addresses that forward what customers write: contact forms, "
        "marketplaces, a group or list in front of this team, separated by commas. "
        "The address in Reply-To of their emails is taken as the customer.",
    )

    take_on_answer = fields.Boolean(
        string="Assign on Reply",
        help="Whoever replies to a new ticket is assigned to it, and it moves on "
        "from the first stage.",
    )

    tell_members = fields.Boolean(
        string="Notify Members of New Tickets",
        default=True,
        help="Members are notified of each new unassigned ticket, as the team's "
        "followers are.",
    )

    @api.constrains("relay_addresses")
    def _check_relay_addresses(self):
        for team in self.filtered("relay_addresses"):
            for part in team.relay_addresses.split(","):
                if part.strip() and not email_normalize(part):
                    raise ValidationError(
                        self.env._(
                            "%(address)s is not an email address: separate the "
                            "addresses of forms and groups with commas.",
                            address=part.strip(),
                        )
                    )

    def _is_relay(self, email):
        """Return whether this address passes on what customers write."""
        self.ensure_one()
        return email_normalize(email) in email_normalize_all(self.relay_addresses)

    def _is_own_list(self, message):
        """Return whether a mail came through a group or list of the team itself.

        :param message: the parsed mail
        :type message: email.message.EmailMessage
        """
        self.ensure_one()
        named = " ".join(
            str(message.get(name) or "").lower()
            for name in ("To", "Cc", "Delivered-To", "List-Post", "List-Id")
        )
        return any(
            # A list is named by its address, with a full stop for the sign.
            address in named or address.replace("@", ".") in named
            for address in email_normalize_all(self.relay_addresses)
        )

    def _get_working_members(self):
        """Return the members of this team who can open its tickets, under ``sudo()``:
        not those who left, went to another company, or have no right to Helpdesk."""
        self.ensure_one()
        # sudo: whom a ticket is for, whoever wrote; nothing of them is shown.
        team = self.sudo()
        # From the cache: each ticket that comes in asks.
        group_id = team.env["ir.model.data"]._xmlid_to_res_id(
            "helpdesk_after_sales.group_helpdesk_user"
        )
        return team.member_ids.filtered_domain(
            Domain("active", "=", True)
            & Domain("share", "=", False)
            & Domain("company_ids", "in", team.company_id.ids)
            & Domain("all_group_ids", "in", [group_id])
        )

    def _get_listeners(self):
        """Return the partners who hear of what nobody else of the team would: its
        members, else the colleagues who follow it, else those who manage Helpdesk."""
        self.ensure_one()
        # sudo: who is told, whoever wrote; nothing of them is shown.
        team = self.sudo()
        colleagues = (
            Domain("active", "=", True)
            & Domain("share", "=", False)
            & Domain("company_ids", "in", team.company_id.ids)
        )
        managers = team.env.ref("helpdesk_after_sales.group_helpdesk_manager")
        users = (
            team._get_working_members()
            or team.message_partner_ids.user_ids.filtered_domain(colleagues)
            or managers.all_user_ids.filtered_domain(colleagues)
        )
        return users.partner_id
