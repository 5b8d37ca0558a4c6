from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..tools import lock_records
from ..tools.reading import check_one

MANAGERS = "helpdesk_after_sales.group_helpdesk_manager"
#: so many colleagues are asked by an activity
ASKED = 5


class HelpdeskAfterSalesApproval(models.Model):
    """What somebody would like to give, and a rule lets them only when a colleague
    agrees (X10). Nothing of it exists before: approving makes it as it was asked for,
    with the rights of who approves.

    Only the server writes it. ``approving`` is never committed: it is how what is made
    in this very transaction is known to be approved.
    """

    _name = "helpdesk.after.sales.approval"
    _description = "After-Sales Approval"
    _order = "id desc"
    _rec_name = "what"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
        server_only=True,
        copy=False,
    )
    company_id = fields.Many2one(related="ticket_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    rule_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.rule",
        string="Deciding Rule",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
        groups=MANAGERS,
    )
    rule_name = fields.Char(string="Rule", readonly=True, server_only=True, copy=False)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Asked By",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
    )
    approver_id = fields.Many2one(
        comodel_name="res.users",
        string="Answered By",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
    )
    state = fields.Selection(
        selection=[
            ("asked", "Waiting"),
            ("approving", "Being Approved"),
            ("approved", "Approved"),
            ("declined", "Declined"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="asked",
        readonly=True,
        server_only=True,
        copy=False,
    )
    what = fields.Text(
        string="What Is Asked For", readonly=True, server_only=True, copy=False
    )
    amount = fields.Monetary(
        readonly=True,
        server_only=True,
        copy=False,
        help="With taxes; once it is approved: what was made, at most.",
    )
    reason = fields.Text(string="Why Not", readonly=True, server_only=True, copy=False)
    answer_date = fields.Datetime(
        string="Answered On", readonly=True, server_only=True, copy=False
    )
    can_answer = fields.Boolean(compute="_compute_can_answer")

    # -- How it is made
    res_model = fields.Char(readonly=True, server_only=True, copy=False)
    res_id = fields.Many2oneReference(
        model_field="res_model",
        readonly=True,
        server_only=True,
        copy=False,
    )
    button = fields.Char(readonly=True, server_only=True, copy=False)
    content = fields.Json(
        readonly=True, server_only=True, copy=False, groups="base.group_system"
    )

    _asked_idx = models.Index("(ticket_id) WHERE state = 'asked'")

    @api.depends("state", "user_id")
    @api.depends_context("uid")
    def _compute_can_answer(self):
        for approval in self:
            approval.can_answer = (
                approval.state == "asked"
                and self.env.user in approval.sudo()._get_approvers()  # sudo: asked
            )

    # -- Asking --------------------------------------------------------------

    @api.model
    def _ask(self, ticket, act, answer, what, **values):
        """Ask for an approval once; returns it, under ``sudo()``. The caller has
        checked that the user may do it themselves but for the rule.

        :param values: how it is made
        :raises UserError: when nobody else may approve it
        """
        # sudo: nobody writes approvals; see above.
        approvals = self.sudo()
        values |= {"ticket_id": ticket.id, "user_id": self.env.uid, "what": what}
        for known in approvals.search(
            Domain("ticket_id", "=", ticket.id)
            & Domain("user_id", "=", self.env.uid)
            & Domain("state", "=", "asked")
        ):
            if all(known._get_plain(name) == values[name] for name in values):
                return known
        approval = approvals.create(
            values
            | {
                "rule_id": answer.rule.id,
                "rule_name": answer.rule.name,
                "amount": act.amount or 0.0,
            }
        )
        approvers = approval._get_approvers()
        if not approvers:
            raise UserError(
                self.env._(
                    "The rule “%(rule)s” asks for an approval, and no colleague may "
                    "give it. An administrator of Helpdesk can name somebody in the "
                    "rule.",
                    rule=answer.rule.name,
                )
            )
        for approver in approvers[:ASKED]:
            ticket.sudo().activity_schedule(  # sudo: see above
                "mail.mail_activity_data_todo",
                summary=self.env._("Approve: %(rule)s", rule=answer.rule.name),
                note=what,
                user_id=approver.id,
                helpdesk_approval_id=approval.id,
            )
        ticket._message_log(
            body=self.env._(
                "%(user)s asks for an approval (rule “%(rule)s”): %(what)s",
                user=self.env.user.name,
                rule=answer.rule.name,
                what=what,
            ),
            author_id=self.env.user.partner_id.id,
        )
        return approval

    def _tell_asked(self):
        """Return the action that tells who was asked, and closes the pop-up."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "Asked for an approval: %(users)s.",
                    users=", ".join(self._get_approvers()[:ASKED].mapped("name")),
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _get_plain(self, name):
        value = self[name]
        return value.id if isinstance(value, models.BaseModel) else value

    def _get_approvers(self):
        """Return who may approve this: those whom the rule names, else the
        administrators of Helpdesk; of them who sees the ticket and has the rights of
        the application. Never who asks. Called with ``sudo()``."""
        self.ensure_one()
        ticket = self.ticket_id
        group = self.env["res.groups"].browse(
            self.env["ir.model.data"]._xmlid_to_res_id(MANAGERS)
        )
        fitting = self.env["res.users"]
        for users in (self.rule_id.approver_ids, group.all_user_ids):
            fitting = users.filtered(
                lambda user: (
                    user.active
                    and not user.share
                    and user != self.user_id
                    and ticket.company_id in user.company_ids
                    and ticket.with_user(user).has_access("write")
                    and self._has_rights(user)
                )
            )
            if fitting:
                break
        members = ticket.team_id.member_ids
        return fitting.sorted(lambda user: (user not in members, user.name))

    def _has_rights(self, user):
        """Return whether ``user`` has the rights of the application that it takes."""
        if self.res_model == "helpdesk.after.sales.step":
            return self.env[self.res_model].browse(self.res_id)._may_run(user)
        if self.res_model not in self.env:
            return True  # nobody can make it any more, see _make
        made = self.env[self.res_model].with_user(user)
        return made.has_access("write" if self.res_id else "create")

    # -- Answers -------------------------------------------------------------

    def action_approve(self):
        """Make what was asked for, as the user; returns the action that opens it.

        :raises AccessError: for whoever may not approve it, who asked among them
        :raises UserError: when it was answered already, or isn't possible any more
        """
        approval = self._hold()
        asked = approval.amount
        approval.write(
            {"state": "approving", "approver_id": self.env.uid, "amount": 0.0}
        )
        self.env.flush_all()
        action = self._make()
        if (
            approval.res_model != "helpdesk.after.sales.step"
            and approval.res_id
            and approval.currency_id.compare_amounts(approval.amount, asked) > 0
        ):
            raise UserError(
                self.env._(
                    "It was changed since: %(amount)s instead of the %(asked)s that "
                    "were asked for. Decline it, and let it be asked for once more.",
                    amount=approval.currency_id.format(approval.amount),
                    asked=approval.currency_id.format(asked),
                )
            )
        approval._end("approved")
        approval.ticket_id._message_log(
            body=self.env._(
                "%(approver)s approved what %(user)s asked for: %(what)s",
                approver=self.env.user.name,
                user=approval.user_id.name,
                what=approval.what,
            ),
            author_id=self.env.user.partner_id.id,
        )
        return action

    def action_decline(self):
        """Return the action that opens the pop-up **Decline**. Raises as
        :meth:`action_approve`."""
        self._hold()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Decline"),
            "res_model": "helpdesk.after.sales.approval.decline",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_approval_id": self.id},
        }

    def action_cancel(self):
        """Take back what the user asked for.

        :raises AccessError: for whoever didn't ask
        :raises UserError: when it was answered already
        """
        check_one(self)
        self.check_access("read")
        approval = self._get_open()
        if approval.user_id != self.env.user:
            raise AccessError(
                self.env._(
                    "%(user)s asked for this, and can take it back.",
                    user=approval.user_id.name,
                )
            )
        approval._end("cancelled")

    def _decline(self, reason):
        """Tell why it isn't given. Raises as :meth:`action_approve`."""
        approval = self._hold()
        approval.write({"approver_id": self.env.uid, "reason": reason})
        if approval.res_model == "helpdesk.after.sales.step":
            step = approval.env[approval.res_model].browse(approval.res_id)
            step.filtered(lambda s: s.state == "ready").write(
                {"state": "failed", "reason": reason}
            )
        approval._end("declined")
        words = {
            "approver": self.env.user.name,
            "user": approval.user_id.name,
            "what": approval.what,
            "reason": reason,
        }
        sentence = self.env._(
            "%(approver)s declined what %(user)s asked for: %(what)s Why: %(reason)s",
            **words,
        )
        approval.ticket_id._message_log(
            body=sentence, author_id=self.env.user.partner_id.id
        )
        approval.ticket_id.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Declined: %(rule)s", rule=approval.rule_name),
            note=sentence,
            user_id=approval.user_id.id,
        )

    def _get_open(self):
        """Return this approval, held, under ``sudo()``.

        :raises UserError: when it was answered already
        """
        # sudo: the caller has checked that the user may read it, and checks the rest.
        approval = self.sudo()
        lock_records(approval)
        approval.invalidate_recordset(["state"])
        if approval.state != "asked":
            raise UserError(
                self.env._(
                    "This was answered already: %(state)s.",
                    state=dict(
                        self._fields["state"]._description_selection(self.env)
                    ).get(approval.state),
                )
            )
        return approval

    def _hold(self):
        """Return this approval, held, under ``sudo()``. Raises as
        :meth:`action_approve`."""
        check_one(self)
        self.check_access("read")
        approval = self._get_open()
        if self.env.user not in approval._get_approvers():
            raise AccessError(
                self.env._(
                    "You may not approve this. These colleagues may: %(users)s.",
                    users=", ".join(approval._get_approvers()[:ASKED].mapped("name"))
                    or "-",
                )
            )
        return approval

    def _end(self, state):
        """Set the last state. Called with ``sudo()``."""
        self.write({"state": state, "answer_date": self.env.cr.now()})
        # sudo: the activities of all who were asked.
        activities = self.env["mail.activity"].sudo()
        activities.search(Domain("helpdesk_approval_id", "in", self.ids)).unlink()

    # -- Making it -----------------------------------------------------------

    def _make(self):
        """Make what was asked for, as the user of the environment; returns the action
        that opens it."""
        # sudo: how it is made was written by the server when it was asked for; it is
        # made with the user's own rights.
        approval = self.sudo()
        ticket = approval.ticket_id.with_env(self.env)
        company = approval.company_id
        if approval.res_model == "helpdesk.after.sales.step":
            step = approval.env[approval.res_model].browse(approval.res_id)
            return step._run_approved(self.env.user)
        if approval.res_model not in self.env:
            raise UserError(
                self.env._("This can't be made any more: its service was uninstalled.")
            )
        records = self.env[approval.res_model].with_context(
            allowed_company_ids=company.ids
        )
        if approval.res_id:
            made = records.browse(approval.res_id)
            getattr(made, approval.button)()
            return made._get_records_action(context={})
        content = approval.content
        wizard = records.with_context(default_helpdesk_ticket_id=ticket.id).create(
            content["values"] | {"helpdesk_ticket_id": ticket.id}
        )
        return getattr(wizard, approval.button)(*content["arguments"])

    # -- What documents ask --------------------------------------------------

    @api.model
    def _get_running(self, ticket):
        """Return the approval, under ``sudo()``, by which something is made on a ticket
        in this transaction, or no record."""
        # sudo: only its state is asked for.
        return self.sudo().search(
            Domain("ticket_id", "=", ticket.id) & Domain("state", "=", "approving"),
            limit=1,
        )
