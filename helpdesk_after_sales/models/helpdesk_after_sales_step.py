import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

_logger = logging.getLogger(__name__)

#: what is still to be done
OPEN = ("waiting", "ready")


class HelpdeskAfterSalesStep(models.Model):
    """What follows when something has happened (X18): a refund when the return has
    arrived.

    Services add what they can do to ``service``, and do it in :meth:`_perform`. A step
    runs in the transaction of what it waits for, with the rights of who planned it. It
    never stops that: what fails is told in an activity.
    """

    _name = "helpdesk.after.sales.step"
    _description = "Step of a Ticket's Plan"
    _order = "sequence, id"
    _rec_name = "service"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
        server_only=True,
        copy=False,
    )
    sequence = fields.Integer(default=10, readonly=True, server_only=True, copy=False)
    service = fields.Selection(
        selection=[],
        string="Next Step",
        readonly=True,
        server_only=True,
        copy=False,
    )
    waits_for = fields.Selection(
        selection=[
            ("receipt", "When the return has arrived"),
            ("refusal", "When the quotation is refused"),
        ],
        default="receipt",
        readonly=True,
        server_only=True,
        copy=False,
    )
    state = fields.Selection(
        selection=[
            ("waiting", "Waiting"),
            ("ready", "Left to a Colleague"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
            ("failed", "Failed"),
        ],
        default="waiting",
        readonly=True,
        server_only=True,
        copy=False,
    )
    res_model = fields.Char(
        string="Waits For (Model)", readonly=True, server_only=True, copy=False
    )
    res_id = fields.Many2oneReference(
        string="Waits For (ID)",
        model_field="res_model",
        index=True,
        readonly=True,
        server_only=True,
        copy=False,
    )
    made_model = fields.Char(readonly=True, server_only=True, copy=False)
    made_id = fields.Many2oneReference(
        string="Document ID",
        model_field="made_model",
        readonly=True,
        server_only=True,
        copy=False,
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Planned By",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
    )
    reason = fields.Char(
        string="Reason for Failure", readonly=True, server_only=True, copy=False
    )

    # -- Hooks of services ---------------------------------------------------

    def _perform(self):
        """Do what the step says, as the user who planned it; returns the document, or
        ``None`` when there is nothing to do.

        :raises UserError: when it can't be done, with one sentence
        """
        raise NotImplementedError(self.service)

    @api.model
    def _get_waits_for(self, _service):
        """Return what a service waits for: a value of ``waits_for``."""
        return "receipt"

    def _is_promised(self):
        """Return whether the customer is told of this step before it happens."""
        return True

    def _withdraw(self):
        """Take back what :meth:`_perform` has made, if that changes nothing for the
        customer yet, as a draft; returns whether it did."""
        return False

    def _get_helpers(self):
        """Return who may do this step when the user who planned it may not, else no
        record."""
        return self.env["res.users"]

    @api.model
    def _check_planned(self, service, ticket):
        """Check that a step can be planned on a ticket.

        :raises UserError: when the team doesn't do that, with one sentence
        """

    @api.model
    def _get_credit_service(self, _ticket):
        """Return the service that proposes a credit note of what has arrived, if the
        team of the ticket has one. The addon of refunds answers."""
        return False

    def _get_accepted(self):
        """Return ``{order line: quantity}``, in the unit of the line: what was accepted
        of what this step has waited for. Called with ``sudo()``."""
        self.ensure_one()
        return self.env[self.res_model].browse(self.res_id)._get_accepted_purchases()

    # -- Planning ------------------------------------------------------------

    @api.model
    def _get_choices(self, waits_for=None):
        """Return ``[(service, name)]`` of what can be planned.

        :param waits_for: only what waits for this
        """
        return [
            (service, name)
            for service, name in self._fields["service"]._description_selection(
                self.env
            )
            if not waits_for or self._get_waits_for(service) == waits_for
        ]

    @api.model
    def _get_choices_for(self, ticket, waits_for="receipt"):
        """Return the services that can be planned on a ticket, as its team says."""
        services = []
        for service, _name in self._get_choices(waits_for):
            try:
                self._check_planned(service, ticket)
            except UserError:
                continue
            services.append(service)
        return services

    @api.model
    def _plan(self, ticket, service, document):
        """Plan a service for what it waits for to happen to ``document``; returns the
        step.

        The caller has checked that the user may work on the ticket.

        :raises UserError: when the team doesn't do that
        """
        self._check_planned(service, ticket)
        self._check_planned_rules(service, document)
        # sudo: nobody writes steps; the caller has checked the ticket.
        step = self.sudo().create(
            {
                "ticket_id": ticket.id,
                "service": service,
                "waits_for": self._get_waits_for(service),
                "res_model": document._name,
                "res_id": document.id,
                "user_id": self.env.uid,
            }
        )
        ticket._message_log(
            body=self.env._("Planned: %(step)s.", step=step._describe())
        )
        return step

    @api.model
    def _get_of(self, documents, states=("waiting",)):
        """Return the steps, under ``sudo()``, that wait for these documents."""
        # sudo: who receives goods need not see the plan of a ticket.
        return self.sudo().search(
            Domain("res_model", "=", documents._name)
            & Domain("res_id", "in", documents.ids)
            & Domain("state", "in", states)
        )

    @api.model
    def _go_on_with(self, document, other):
        """Let what waits for ``document`` wait for the rest, ``other``, as well."""
        for step in self._get_of(document):
            step.create(
                {
                    "ticket_id": step.ticket_id.id,
                    "service": step.service,
                    "res_model": other._name,
                    "res_id": other.id,
                    "user_id": step.user_id.id,
                }
            )

    @api.model
    def _drop(self, documents):
        """Cancel what waits for documents that never come."""
        self._get_of(documents, OPEN).state = "cancelled"

    def action_cancel(self):
        """Cancel these steps.

        :raises AccessError: when a ticket isn't the user's to work on
        :raises UserError: when a step isn't open any more
        """
        self.ticket_id.check_access("write")
        for step in self:
            if step.state not in OPEN:
                raise UserError(
                    self.env._("%(step)s is not open any more.", step=step._describe())
                )
            step.ticket_id._message_log(
                body=self.env._("Cancelled: %(step)s.", step=step._describe())
            )
        # sudo: steps of tickets that the user may write to.
        self.sudo().state = "cancelled"

    # -- Running -------------------------------------------------------------

    @api.model
    def _fire(self, documents):
        """Do what waits for these documents."""
        for step in self._get_of(documents):
            step._run()

    def _run(self):
        self.ensure_one()
        if helpers := self._as_planner()._get_helpers():
            self.state = "ready"
            self._ask(helpers[:1], self.env._("Please carry out this planned step."))
            return
        try:
            with self.env.cr.savepoint():
                document = self._as_planner()._perform()
                self.env.flush_all()
        except UserError as error:
            if asked := getattr(error, "helpdesk_asked", None):
                self._ask_approval(*asked)
            else:
                self._fail(str(error))
        except psycopg2.OperationalError:
            # Two at once: Odoo begins the transaction anew.
            raise
        except Exception:
            _logger.exception("Step %s of a ticket's plan failed", self.id)
            self._fail(
                self.env._("An error: the administrator can find it in the server log.")
            )
        else:
            self._end_with(document)

    def _end_with(self, document):
        self.write(
            {
                "state": "done" if document else "cancelled",
                "made_model": document and document._name,
                "made_id": document and document.id,
                "reason": not document and self.env._("Nothing was accepted."),
            }
        )

    def _as_planner(self):
        """Return this step for the user who planned it, without ``sudo()``."""
        return self._as_user(self.user_id)

    def _as_user(self, user):
        company = self.ticket_id.company_id
        context = clean_context(self.env.context) | {
            "allowed_company_ids": company.ids,
            "helpdesk_step_id": self.id,
        }
        return self.with_env(self.env(user=user.id, su=False, context=context))

    def _fail(self, reason):
        self.env.invalidate_all(flush=False)
        self.write({"state": "failed", "reason": reason})
        self._ask(self.ticket_id.user_id or self.user_id, reason)

    def _ask(self, user, reason):
        """Ask a colleague by an activity, and say so in the chatter."""
        sentence = self.env._(
            "%(step)s: %(reason)s", step=self._describe(), reason=reason
        )
        self.ticket_id.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self._describe(),
            note=sentence,
            user_id=user.id,
        )
        self.ticket_id._message_log(body=sentence)

    @api.model
    def _take_back_of(self, documents):
        """Let steps whose drafts can be withdrawn wait again: what they were made from
        has changed."""
        for step in self._get_of(documents, ("done",)):
            if step._as_planner()._withdraw():
                step.write({"state": "waiting", "made_model": False, "made_id": False})

    # -- Words ---------------------------------------------------------------

    def _describe(self):
        """Return "Refund when the return has arrived"."""
        self.ensure_one()
        service = dict(self._get_choices()).get(self.service) or "-"
        if self.waits_for == "refusal":
            return self.env._(
                "%(service)s when the quotation is refused", service=service
            )
        return self.env._("%(service)s when the return has arrived", service=service)
