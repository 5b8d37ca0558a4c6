import re

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# What stands in a text, without tags. Longer ones are quoted to the end, and the first
# part holds what somebody says; numbers and addresses are found by their parts.
WORDS = "to_tsvector('simple', translate(left(%s, 20000), '-._@+:#', '       '))"
WORD = re.compile(r"[^\W_]+")


class MailMessage(models.Model):
    _inherit = "mail.message"

    # Without it each search would read all that was ever written.
    _helpdesk_words_idx = models.Index(
        f"USING gin (({WORDS % 'body'})) WHERE model = 'helpdesk.ticket'"
    )


class HelpdeskTicket(models.Model):
    """Tickets by the words that were said in them."""

    _inherit = "helpdesk.ticket"

    conversation_words = fields.Char(
        string="Conversation",
        store=False,
        search="_search_conversation_words",
        groups="base.group_user",
        help="Words, or their beginnings, in messages, notes and descriptions.",
    )

    _description_words_idx = models.Index(
        f"USING gin (({WORDS % 'description'})) WHERE description IS NOT NULL"
    )

    @api.model
    def _search_conversation_words(self, operator, value):
        """Return tickets in which one text has all these words, also notes: who may
        read a ticket as a colleague reads them."""
        if operator not in ("ilike", "like", "=") or not isinstance(value, str):
            return NotImplemented
        # Odoo checks who may read a field, but not one that searches by itself.
        self._check_field_access(self._fields["conversation_words"], "read")
        return self._get_words_domain(value)

    @api.model
    def _get_portal_words_domain(self, text):
        """Return the domain of tickets that have words in what their customer reads."""
        comment = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment")
        return self._get_words_domain(
            text,
            Domain("subtype_id", "in", (comment, self._creation_subtype().id))
            & Domain("is_internal", "=", False),
        )

    @api.model
    def _get_words_domain(self, text, messages=Domain.TRUE):
        """Return the domain of tickets that have words in their description, or in one
        of ``messages``; indexes answer both."""
        # Nobody remembers more of them.
        words = WORD.findall(text)[:10]
        if not words:
            return Domain.FALSE
        words = " & ".join(f"{word}:*" for word in words)

        def has_words(field):
            column = SQL.identifier(field)
            return Domain.custom(
                to_sql=lambda model, alias, query: SQL(
                    "%s @@ to_tsquery('simple', %s)",
                    SQL(WORDS, SQL("%s.%s", SQL.identifier(alias), column)),
                    words,
                )
            )

        # sudo: the ids of tickets, of which the user then finds their own.
        said = self.env["mail.message"].sudo()
        tickets = self.sudo().with_context(active_test=False)
        said.flush_model(["body"])
        tickets.flush_model(["description"])
        # Two lists of ids: an index serves each of them, but no "or" of both.
        found = SQL(
            "%s UNION ALL %s",
            said._search(
                Domain("model", "=", self._name) & messages & has_words("body")
            ).select("res_id"),
            tickets._search(
                Domain("description", "!=", False) & has_words("description")
            ).select(),
        )
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", model._field_to_sql(alias, "id", query), found
            )
        )
