"""Secrets that the tests of names share: records that no role, or hardly any, may
read, and which links lead to them. Models, fields and roles come from the registry."""

import psycopg2
from access import AccessCase

from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.models import MAGIC_COLUMNS
from odoo.orm.model_classes import is_model_definition

# What makes names tell more.
TELLING = {
    "name_as_amount_total": True,
    "input_full_display_name": True,
    "sale_show_partner_name": True,
    "show_address": True,
    "show_email": True,
}


# What Odoo answers to what makes no sense; test_fuzz_rpc looks for traces of ours.
NONSENSE = (
    *(UserError, psycopg2.Error, ValueError),
    *(LookupError, TypeError, AttributeError),
)


def is_our_field(field):
    modules = field._modules
    return bool(modules) and all(name.startswith("helpdesk_") for name in modules)


class SecretsCase(AccessCase):
    """Holds no test methods."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env
        cls.secrets = {}
        cls.users["public"] = env.ref("base.public_user")
        customer = env["res.partner"].create(
            {"name": "SECRET customer", "street": "SECRET street 1"}
        )
        cls.secret_order = cls._sell(
            customer, (cls.lamp, 1), (cls.phone, 1), serials=cls.serials[1]
        )
        cls.secret_invoice = cls.secret_order._create_invoices()
        cls.secret_invoice.action_post()
        private = env["helpdesk.team"].create(
            {"name": "SECRET team", "privacy_visibility": "invited_internal"}
        )
        cls.secret = cls._ticket(customer, name="SECRET plan", team_id=private.id)
        cls.secret.message_post(body="SECRET words", subject="SECRET subject")
        cls._make_secret_documents(customer)

    @classmethod
    def _make_secret_documents(cls, customer):
        """Make a document of each kind on the ticket that no role may read."""
        env, link = cls.env, {"helpdesk_ticket_id": cls.secret.id}
        elsewhere = cls.users["elsewhere"].company_id
        for model, values in (
            ("helpdesk.team", {"name": "SECRET team two"}),
            ("helpdesk.after.sales.reason", {"name": "SECRET reason"}),
            ("res.partner", {"name": "SECRET contact", "street": "SECRET street 2"}),
            ("fsm.worksheet.template", {"name": "SECRET sheet"}),
        ):
            if model in env:
                env[model].create(values | {"company_id": elsewhere.id})
        if "loyalty.card" in env:
            program = env["loyalty.program"].create(
                {"name": "SECRET program", "program_type": "coupons"}
            )
            env["loyalty.card"].create(
                {"program_id": program.id, "partner_id": customer.id} | link
            )
        if "repair.order" in env:
            env["repair.order"].create(
                {"product_id": cls.phone.id, "partner_id": customer.id} | link
            )
        if "fsm.worksheet.template" in env:
            project = env["project.project"].create(
                {
                    "name": "SECRET project",
                    "is_fsm": True,
                    "privacy_visibility": "followers",
                }
            )
            env["project.task"].create(
                {"name": "SECRET task", "project_id": project.id} | link
            )
        if "helpdesk_ticket_id" in env["account.move"]._fields:
            cls.secret_invoice._reverse_moves([dict(link)])

    def _as(self, role, records):
        """Return ``records`` as a role sees them who has just logged in."""
        user = self.users[role]
        return records.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    # -- What there is -------------------------------------------------------

    def _links(self):
        """Return ``[(model, field)]`` of our links: all of our models, and what we
        added to those of other applications."""
        found = []
        for name, model in self.env.registry.items():
            if model._abstract or not model._auto:
                continue
            own = all(
                cls._module.startswith("helpdesk_")
                for cls in model.mro()
                if is_model_definition(cls) and cls._name == name
            )
            found += [
                (name, field.name)
                for field in model._fields.values()
                if field.type in ("many2one", "many2many")
                and (
                    is_our_field(field)
                    or (own and model._transient)
                    # Everybody answers to messages, whatever they hang on.
                    or (field.comodel_name == "mail.message" and field.store)
                )
                and field.name not in MAGIC_COLUMNS
            ]
        return sorted(found)

    def _links_to_try(self):
        """Yield ``(model, field, role, secrets)``: who may set what to what they can't
        read."""
        for model, name in self._links():
            for role in self.users:
                records = self._as(role, self.env[model])
                field = records._fields[name]
                if records.has_access("create") and (
                    records._has_field_access(field, "write")
                ):
                    if secrets := self._secrets(role, field.comodel_name):
                        yield model, name, role, secrets

    def _secrets(self, role, model):
        """Return ``{id: names}`` of a few records that the role can't read, found once
        for all tests."""
        key = role, model
        if key not in self.secrets:
            self.secrets[key] = self._find_secrets(role, model)
        return self.secrets[key]

    def _find_secrets(self, role, model):
        records = (
            self.env[model]
            .sudo()
            .with_context(active_test=False)
            .search(
                # The names of other messages are Odoo's business.
                [("model", "=", "helpdesk.ticket"), ("subject", "!=", False)]
                if model == "mail.message"
                else [],
                limit=100,
                order="id desc",
            )
        )
        seen = self._as(role, records)._filtered_access("read").sudo()
        # The newest, and the oldest: of several companies and makers.
        foreign = (records - seen.with_env(records.env)).sorted("id")
        result = {}
        for record in foreign[:1] | foreign[-1:]:
            names = {record.display_name, record.with_context(**TELLING).display_name}
            if model == "loyalty.card":
                names = {record.code}
            elif model == "helpdesk.ticket":
                names = {record.name}
            elif model in ("account.move", "sale.order"):
                # Numbers are what agents see of the documents of their customers.
                names = {record.partner_id.name}
            # Numbers and words that stand everywhere prove nothing.
            result[record.id] = {name for name in names if name and len(name) > 4}
        return {id_: names for id_, names in result.items() if names}

    def _offered(self, model, name, ids):
        """Return those of ``ids`` that the ticket itself offers to agents."""
        key = model, name, tuple(ids)
        if key not in self.offered:
            records = self.env[model].sudo()
            domain = Domain.FALSE
            if hasattr(records, "_get_offer_domain"):
                field = records._fields[name]
                domain = records._get_offer_domain(field, self.ticket)
            comodel = self.env[records._fields[name].comodel_name]
            found = comodel.with_context(active_test=False).search(
                domain & Domain("id", "in", list(ids))
            )
            self.offered[key] = set(found.ids)
        return self.offered[key]

    def _known(self, role, model):
        """Return the values of a record of the role's own, found out once."""
        key = role, model
        if key not in self.known:
            self.known[key] = self._find_known(role, model)
        return dict(self.known[key])

    def _own(self, role, model):
        """Return a record of the role's own, or none if they can't make one. It is
        made once: what is tried with it is taken back."""
        key = role, model
        if key not in self.own:
            records = self._as(role, self.env[model])
            try:
                with self.env.cr.savepoint():
                    self.own[key] = records.create(self._known(role, model)).id
            except NONSENSE:
                self.own[key] = None
        return self.own[key]

    def _find_known(self, role, model):
        fields = self.env[model]._fields
        values = {}
        if "helpdesk_ticket_id" in fields and self.env[model]._transient:
            values["helpdesk_ticket_id"] = self.ticket.id
        for name, field in fields.items():
            if field.required and not field.compute and not field.default:
                if field.type in ("char", "text"):
                    values[name] = "Ada"
                elif name == "wizard_id":
                    wizards = self._as(role, self.env[field.comodel_name])
                    values[name] = wizards.create(
                        {"helpdesk_ticket_id": self.ticket.id}
                    ).id
                elif name == "ticket_id":
                    values[name] = self.ticket.id
        return values

    def _pointers(self):
        """Yield ``(model, field of the model's name, field of ids)``: what may point to
        any record."""
        for name, model in self.env.registry.items():
            fields = model._fields
            if model._abstract or not model._auto:
                continue
            for field in fields.values():
                if field.type == "many2one_reference" and field.store:
                    yield name, field.model_field, field.name
                elif field.name in ("res_ids", "res_id") and field.type != "one2many":
                    for key in {"res_model", "model"} & fields.keys():
                        yield name, key, field.name

    # -- Asking --------------------------------------------------------------

    def _told(self, function):
        """Return all that an answer, or a refusal, says."""
        told = ""
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            told = repr(function())
        except NONSENSE as refusal:
            told = str(refusal)
        finally:
            # What was made must not show to the next.
            savepoint.close(rollback=True)
        return told

    def _points(self, records, names, shown, target):
        def to(record):
            values = {
                "res_model": record._name,
                "model": record._name,
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "res_ids": repr(record.ids),
            }
            return {n: values[n] for n in (*names, "res_model_id") if n in shown}

        def create():
            return records.create(to(target)).read(shown)

        def move():
            record = records.create(to(self.env.user.partner_id))
            record.write(to(target))
            return record.read(shown)

        spec = {name: {"fields": {"display_name": {}}} for name in shown}
        return {
            "create": create,
            "move": move,
            "show": lambda: records.onchange(to(target), [], spec),
        }
