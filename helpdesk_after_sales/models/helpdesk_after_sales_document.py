from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.reading import check_one


class HelpdeskAfterSalesDocument(models.AbstractModel):
    """A document of an application that was made on a helpdesk ticket.

    The link is written by the wizards and by users of the document's application;
    helpdesk users get no write access from it. Both sides tell of it in their chatter.

    A model that takes part inherits this one *before* itself, so that
    :meth:`_creation_message` here is asked first.
    """

    _name = "helpdesk.after.sales.document"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Document made on a helpdesk ticket"

    _chosen_ours = True
    # Whoever links a ticket must see it, see _after_sales_linked().
    _chosen_constrained = ("helpdesk_ticket_id",)

    #: the first line of the chatter tells the ticket; not so where the creation of a
    #: document has a subtype: Odoo hides the text of its line
    _after_sales_first_line = False

    helpdesk_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        index="btree_not_null",
        copy=False,
        check_company=True,
        # Customers read documents, too; a ticket about them may not be theirs (T14).
        groups="base.group_user",
        help="The helpdesk ticket that this document was made on.",
    )

    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        string="After-Sales Reason",
        index="btree_not_null",
        copy=False,
        check_company=True,
        groups="base.group_user",
        help="Why this document was made on the ticket.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        documents = super().create(vals_list)
        # sudo: who creates a document may not read its link, as customers in projects
        # that are shared with them; only whether there is one is asked.
        linked = documents.filtered(lambda document: document.sudo().helpdesk_ticket_id)
        context = self.env.context
        linked._after_sales_linked(
            told=self._after_sales_first_line
            and not context.get("mail_create_nolog")
            and not context.get("tracking_disable")
        )
        return documents

    def _creation_message(self):
        """The first line of the chatter tells the ticket."""
        if not self.sudo().helpdesk_ticket_id:  # sudo: as in create()
            return super()._creation_message()
        return self._get_ticket_sentence()

    def _get_ticket_sentence(self):
        return self.env._(
            "Made on the helpdesk ticket %(ticket)s.",
            ticket=self.helpdesk_ticket_id._get_number_link(),
        )

    def write(self, vals):
        if "helpdesk_ticket_id" not in vals:
            return super().write(vals)
        before = {document: document.helpdesk_ticket_id for document in self}
        result = super().write(vals)
        if self.env.su and self.env.context.get("helpdesk_merging"):
            # The tickets tell it; nobody but the merge gets here.
            self._after_sales_moved()
            return result
        self.filtered(
            lambda doc: doc.helpdesk_ticket_id and doc.helpdesk_ticket_id != before[doc]
        )._after_sales_linked()
        return result

    @api.model
    def _after_sales_agent_views(self):
        """Return ``{type: id of the view}`` for who reads these documents as a helpdesk
        agent only: no more fields than they may read, no buttons of the application.

        A bridge returns its list and form; without any the application's own are used.
        """
        return {}

    @api.model
    def _get_agent_views(self, user):
        """Return the views for ``user``: none for who may change these documents."""
        if user.has_group("helpdesk_after_sales.group_helpdesk_user") and not (
            self.with_user(user).browse().has_access("write")
        ):
            return self._after_sales_agent_views()
        return {}

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Agents get views of their own wherever the document is opened from, links in
        the chatter too (S98, S99)."""
        if not view_id:
            view_id = self._get_agent_views(self.env.user).get(view_type)
        return super().get_view(view_id, view_type, **options)

    def get_formview_id(self, access_uid=None):
        """Return the id of the form to open: for agents their own."""
        user = self.env["res.users"].browse(access_uid) if access_uid else self.env.user
        return self._get_agent_views(user).get("form") or super().get_formview_id(
            access_uid
        )

    def _get_records_action(self, **kwargs):
        views = self._get_agent_views(self.env.user)
        if views:
            kinds = ("form",) if len(self) == 1 else ("list", "form")
            kwargs.setdefault("views", [(views[kind], kind) for kind in kinds])
        return super()._get_records_action(**kwargs)

    @api.readonly
    def action_view_helpdesk_ticket(self):
        """Return the action that opens the ticket of this document."""
        check_one(self)
        return self.helpdesk_ticket_id._get_records_action()

    def _after_sales_linked(self, told=False):
        """Tell both sides that these documents belong to their tickets now.

        :param told: the documents say it already
        :raises AccessError: when the user may not see the ticket, so that nobody
            reaches a foreign ticket's chatter by linking a document of their own
        """
        if not self:
            # Most documents have no ticket: nothing is asked for, nor refused.
            return
        self.helpdesk_ticket_id.check_access("read")
        if not told:
            self._message_log_batch(
                {doc.id: doc._get_ticket_sentence() for doc in self}
            )
        # Else a wizard goes on with the document, and says both in one line.
        if not (self.env.su and self.env.context.get("helpdesk_tells_ticket")):
            self._after_sales_tell_created()

    def _after_sales_tell_created(self):
        """Tell the tickets that these documents were made on them. A bridge leaves out
        those whose next step is told at once."""
        self._after_sales_tell_ticket(
            {document: document._get_created_sentence() for document in self}
        )

    def _get_created_sentence(self):
        """Return the line for the ticket when this document was made on it."""
        return self.env._(
            "%(kind)s %(document)s was created.",
            kind=self._after_sales_kind(),
            document=self._get_html_link(),
        )

    def _after_sales_moved(self):
        """Tell these documents that their ticket was merged into another one."""
        self._message_log_batch(
            bodies={
                document.id: self.env._(
                    "Its helpdesk ticket was merged into %(ticket)s.",
                    ticket=document.helpdesk_ticket_id._get_number_link(),
                )
                for document in self
            }
        )

    @api.model
    def _after_sales_open_domain(self):
        """Return the domain of the documents that are still under way.

        Who closes a ticket by hand is told of them. A bridge says what that means for
        its documents.
        """
        return Domain.FALSE

    def _after_sales_kind(self):
        """Return what people call this document, as the first words of a sentence."""
        return self.env["ir.model"]._get(self._name).name

    def _is_timeline_of(self, ticket):
        """Return whether the customer of ``ticket`` may see the line of this document:
        what was made for a former customer stays hidden, as does what has none."""
        self.ensure_one()
        customer = "partner_id" in self._fields and self.partner_id
        return (
            bool(customer)
            and customer.commercial_partner_id == ticket.commercial_partner_id
        )

    def _prepare_timeline_values(self, _customer=False):
        """Return the line of this document in the timeline of its ticket (X7), or
        ``False`` to leave it out.

        :param _customer: in the words of the customer; drafts are left out
        :return: ``date``, ``title``, ``state`` (text), ``style`` (of the badge:
            success, info, warning, secondary), ``detail`` (amount or quantity, text),
            ``promised`` (date or time), ``promise`` (sentence with ``%(date)s``), and
            for customers ``url`` with ``url_label``, and ``more_url`` with its label

        Called with ``sudo()``; only what is returned reaches the reader.
        """
        self.ensure_one()
        return {
            "date": self.create_date,
            "title": f"{self._after_sales_kind()} {self.display_name}",
        }

    @api.model
    def _after_sales_tell_ticket(self, sentences):
        """Log ``{document: sentence}`` in the chatter of each document's ticket.

        Bridges call it when a document reaches its end. Documents without a ticket are
        passed over.
        """
        bodies = {}
        for document, sentence in sentences.items():
            if document.helpdesk_ticket_id:
                bodies.setdefault(document.helpdesk_ticket_id.id, []).append(sentence)
        # sudo: whoever may change the document (a warehouse user, a cron) tells its
        # ticket, which they may not be allowed to write to. Only log lines are made.
        tickets = self.env["helpdesk.ticket"].sudo().browse(bodies)
        for index in range(max(map(len, bodies.values()), default=0)):
            tickets.filtered(
                lambda t, i=index: len(bodies[t.id]) > i
            )._message_log_batch(
                {
                    ticket: lines[index]
                    for ticket, lines in bodies.items()
                    if lines[index:]
                }
            )
