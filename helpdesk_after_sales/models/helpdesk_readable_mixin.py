from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import ormcache


class HelpdeskReadableMixin(models.AbstractModel):
    """A document that agents read, since they see the ticket that it leads to.

    A model inherits this, names the path to its ticket, and gets one record rule for
    helpdesk users: ``[("helpdesk_readable", "=", True)]``, for reading only. Several
    addons may each name a path of their own.

    Once one group of a user has a rule for a model, Odoo limits the user to the rules
    of their groups. Who reads the model by another group, such as a user of its
    application, loses nothing by ours, and pays nothing for it.
    """

    _name = "helpdesk.readable.mixin"
    _description = "Document that helpdesk users read"

    #: fields that lead from the document to its ticket
    _helpdesk_ticket_path = None

    helpdesk_readable = fields.Boolean(
        groups="base.group_user",
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
        help="Technical: for the record rule of helpdesk users.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        # The rules are evaluated as superuser: what is asked for is the user.
        if self.sudo(False)._reads_by_other_groups():
            self.helpdesk_readable = True
            return
        # sudo: the ids only; the domain is asked as the user.
        readable = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                Domain("id", "in", self.ids) & Domain("helpdesk_readable", "=", True)
            )
        )
        for document in self:
            document.helpdesk_readable = document in readable

    @api.model
    def _search_helpdesk_readable(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        if self.sudo(False)._reads_by_other_groups():
            return Domain.TRUE
        return self._get_helpdesk_readable_domain()

    @api.model
    def _get_helpdesk_readable_domain(self):
        """Return the domain of the documents of tickets that the user sees."""
        paths = {vars(cls).get("_helpdesk_ticket_path") for cls in type(self).__mro__}
        return Domain.OR(
            Domain(f"{path}.user_can_read", "=", True)
            for path in sorted(filter(None, paths))
        )

    @api.model
    @ormcache("self._name", "self.env.user._get_group_ids()")
    def _reads_by_other_groups(self):
        """Return whether the user reads all of this model through a group besides those
        of Helpdesk. Odoo forgets the answer when rights or rules change."""
        groups = self.env.user.all_group_ids
        group_id = self.env["ir.model.data"]._xmlid_to_res_id
        for group in ("group_helpdesk_user", "group_helpdesk_manager"):
            groups -= groups.browse(group_id(f"helpdesk_after_sales.{group}"))
        reads = Domain("model_id.model", "=", self._name) & Domain(
            "perm_read", "=", True
        )
        # sudo: whether the user has rights and rules, nothing of what they say.
        rights = self.env["ir.model.access"].sudo()
        rules = self.env["ir.rule"].sudo()  # sudo: as above
        return bool(
            rights.search_count(reads & Domain("group_id", "in", groups.ids), limit=1)
        ) and not rules.search_count(
            reads & Domain("groups", "in", groups.ids), limit=1
        )
