"""The people, records and calls that the tests of who may do what share.

===========  ===========================================================================
public       whom pages for visitors act as
portal       the customer of the ticket
employee     an internal user without further rights
apps         a user of Invoicing, Sales, Inventory, Project and Field Service, who is
             no helpdesk user
elsewhere    an agent of another company
agent        a member of the ticket's team with helpdesk rights only
manager      a helpdesk manager with helpdesk rights only
both         an agent who has those rights of the applications as well
===========  ===========================================================================
"""

import json

from odoo import Command
from odoo.exceptions import AccessError
from odoo.orm.model_classes import is_model_definition
from odoo.service.model import call_kw
from odoo.tests import HttpCase
from odoo.tools import json_default

from odoo.addons.helpdesk_after_sales.tests.common import (
    AGENT,
    MANAGER,
    HelpdeskAfterSalesCommon,
)

ROLES = (
    "public",
    "portal",
    "employee",
    "apps",
    "elsewhere",
    "agent",
    "manager",
    "both",
)
APPLICATIONS = (
    "account.group_account_invoice",
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "project.group_project_user",
    "helpdesk_fsm.group_fsm_user",
)
OPERATIONS = ("read", "write", "create", "unlink")


def is_ours(cls):
    return (
        is_model_definition(cls)
        and cls.__module__.startswith("odoo.addons.helpdesk_")
        and ".tests." not in cls.__module__
        and "helpdesk_test" not in cls.__module__
    )


def is_server_only(field):
    return bool(getattr(field, "server_only", False))


class AccessCase(HelpdeskAfterSalesCommon, HttpCase):
    """Holds no test methods."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        apps = ",".join(name for name in APPLICATIONS if cls.env.ref(name, False))
        other_company = cls.env["res.company"].create({"name": "Elsewhere"})
        groups = {
            "employee": "base.group_user",
            "apps": apps,
            "agent": AGENT,
            "manager": MANAGER,
            "both": f"{AGENT},{apps}",
        }
        cls.users = {
            "portal": cls._new_user(
                "matrix_portal", "base.group_portal", partner_id=cls.contact_a1.id
            ),
            "elsewhere": cls._new_user(
                "matrix_elsewhere",
                AGENT,
                company_id=other_company.id,
                company_ids=[Command.set(other_company.ids)],
            ),
        }
        made = cls._new_users({f"matrix_{role}": groups[role] for role in groups})
        cls.users |= dict(zip(groups, made, strict=True))
        team = cls.team
        # Straight to the table: switching a service on would install its addon.
        services = [name for name in team._after_sales_services() if name in team]
        cls.env.cr.execute(
            f"UPDATE helpdesk_team SET {', '.join(f'{s} = true' for s in services)}"
            " WHERE id = %s",
            [team.id],
        )
        team.invalidate_recordset()
        team.member_ids = cls.users["agent"]
        cls.order = cls._sell(
            cls.contact_a1, (cls.lamp, 3), (cls.phone, 1), serials=cls.serials[:1]
        )
        cls.invoice = cls.order._create_invoices()
        cls.invoice.action_post()
        cls.team.answer_hours = 8
        cls.ticket = cls._ticket(
            cls.contact_a1,
            sale_order_id=cls.order.id,
            product_id=cls.phone.id,
            lot_id=cls.serials[0].id,
        )
        cls.records = cls._make_records()
        line = cls.order.order_line[0]
        cls.arguments = {
            "helpdesk.ticket portal_create": ["The lamp arrived broken"],
            "helpdesk.ticket action_add_lines": [[line.id]],
            "helpdesk.ticket action_split": [0],
            "helpdesk.ticket get_newer_answers": [0],
            "helpdesk.ticket notify_presence": ["here"],
            "helpdesk.ticket portal_request": ["use_product_returns", line.id, 1],
            "helpdesk.ticket search_purchases": ["sale.order"],
        }

    @classmethod
    def _make_records(cls):
        """Return ``{model: record}`` for the methods; documents are the ticket's."""
        env, ticket = cls.env, {"helpdesk_ticket_id": cls.ticket.id}
        result = {
            "helpdesk.ticket": cls.ticket,
            "helpdesk.ticket.line": cls.ticket.line_ids,
            "helpdesk.team": cls.team,
            "helpdesk.stage": cls.team.stage_ids[0],
            "helpdesk.tag": env["helpdesk.tag"].create({"name": "Transport"}),
            "helpdesk.blocked.sender": env["helpdesk.blocked.sender"].create(
                {"email": "news@spam.example.com"}
            ),
            "helpdesk.ticket.conversation": env["helpdesk.ticket.conversation"].create(
                {
                    "name": "Parcel lost",
                    "ticket_id": cls.ticket.id,
                    "partner_ids": [Command.set(cls.customer_b.ids)],
                }
            ),
            "helpdesk.macro": env["helpdesk.macro"].create({"name": "Ask for a photo"}),
            "helpdesk.sla": cls.ticket.sla_ids,
            "helpdesk.sla.status": cls.ticket.sla_status_ids,
            "helpdesk.sla.report.analysis": env["helpdesk.sla.report.analysis"].browse(
                cls.ticket.sla_status_ids.ids
            ),
            "helpdesk.ticket.report.analysis": env[
                "helpdesk.ticket.report.analysis"
            ].browse(cls.ticket.id),
            "helpdesk.after.sales.reason": env.ref("helpdesk_after_sales.reason_wear"),
            "helpdesk.after.sales.approval": env[
                "helpdesk.after.sales.approval"
            ].create({"ticket_id": cls.ticket.id, "what": "A refund"}),
            "helpdesk.after.sales.rule": env["helpdesk.after.sales.rule"].create(
                {"name": "All of it"}
            ),
            "helpdesk.after.sales.service": env.ref("helpdesk_after_sales.service_fsm"),
            "helpdesk.after.sales.resolution": env.ref(
                "helpdesk_after_sales.resolution_money"
            ),
            "helpdesk.return.rate.report": env["helpdesk.return.rate.report"].search(
                [("product_id", "=", cls.phone.id), ("delivered", ">", 0)], limit=1
            ),
            "product.template": cls.phone.product_tmpl_id,
            "res.partner": cls.contact_a1,
            "sale.order": cls.order,
            "stock.picking": cls.order.picking_ids,
            "account.move": cls.invoice,
            "product.product": cls.phone,
            "stock.lot": cls.serials[0],
        }
        if "helpdesk_ticket_id" in env["account.move"]._fields:
            note = cls.invoice._reverse_moves([dict(ticket)])
            result["account.move"] = note
        if "loyalty.card" in env:
            program = env["loyalty.program"].create(
                {"name": "Sorry", "program_type": "coupons"}
            )
            result["loyalty.program"] = program
            result["loyalty.card"] = env["loyalty.card"].create(
                {"program_id": program.id, "partner_id": cls.contact_a1.id} | ticket
            )
        steps = env["helpdesk.after.sales.step"]
        if choices := steps._get_choices():
            result["helpdesk.after.sales.step"] = steps.create(
                {"ticket_id": cls.ticket.id, "service": choices[0][0]}
            )
        if "helpdesk.return.decision" in env:
            result |= cls._make_return()
        if "repair.order" in env:
            result["repair.order"] = env["repair.order"].create(
                {"product_id": cls.phone.id, "partner_id": cls.contact_a1.id} | ticket
            )
        if "fsm.worksheet.template" in env:
            team = cls.team
            team._ensure_fsm_project()
            task = env["project.task"].create(
                {
                    "name": "Visit",
                    "project_id": team.fsm_project_id.id,
                    "partner_id": cls.contact_a1.id,
                    "user_ids": [
                        Command.set((cls.users["apps"] + cls.users["both"]).ids)
                    ],
                }
                | ticket
            )
            result["project.task"] = task
            result["fsm.task.photo"] = env["fsm.task.photo"].create(
                {
                    "task_id": task.id,
                    "caption": "Motor",
                    "image": env.company.logo,
                }
            )
            done = task.copy({"helpdesk_ticket_id": cls.ticket.id})
            done.sudo().fsm_done = True
            env.flush_all()
            acts = env["helpdesk.after.sales.report"]
            result[acts._name] = acts.search([("res_id", "=", done.id)])
            result["fsm.worksheet.template"] = env["fsm.worksheet.template"].create(
                {"name": "Sheet"}
            )
        return result

    @classmethod
    def _make_return(cls):
        """Return a disposition, and a return of another ticket with a decision."""
        env = cls.env
        other = cls._ticket(cls.contact_a1, sale_order_id=cls.order.id)
        native = env["stock.return.picking"].create(
            {"picking_id": cls.order.picking_ids.id}
        )
        native.product_return_moves[0].quantity = 1
        cls.back = native._create_return()
        cls.back.helpdesk_ticket_id = other
        disposition = env.ref("helpdesk_return.disposition_missing")
        decision = env["helpdesk.return.decision"].create(
            {
                "picking_id": cls.back.id,
                "product_id": cls.lamp.id,
                "quantity": 1,
                "condition": "missing",
                "disposition_id": disposition.id,
                "kind": "missing",
            }
        )
        return {
            "helpdesk.return.disposition": disposition,
            "helpdesk.return.decision": decision,
        }

    def _pop_up(self, model):
        """Return the values that a pop-up is opened with."""
        values = {}
        fields = self.env[model]._fields
        for name, record in (
            ("helpdesk_ticket_id", self.ticket),
            ("move_ids", self.invoice),
            ("task_id", self.records.get("project.task")),
            ("task_ids", self.records.get("project.task")),
            ("coupon_id", self.records.get("loyalty.card")),
            ("card_id", self.records.get("loyalty.card")),
            ("ticket_ids", self.ticket),
            ("target_id", self.ticket),
        ):
            if name in fields and record and not is_server_only(fields[name]):
                many = fields[name].type.endswith("2many")
                values[name] = [Command.set(record.ids)] if many else record.id
        for name, field in fields.items():
            if field.required and field.type in ("char", "text") and not field.compute:
                values[name] = "Ada"
        if model == "helpdesk.return.process":
            values["picking_id"] = self.back.id
        return values

    def _own_models(self):
        """Return the names of the models that the addons bring."""
        result = set()
        for name, model in self.env.registry.items():
            definitions = [cls for cls in model.mro() if is_model_definition(cls)]
            named = [cls for cls in definitions if cls._name == name]
            if not model._abstract and named and all(map(is_ours, named)):
                result.add(name)
        return result

    # -- Asking --------------------------------------------------------------

    def _call(self, role, model, method, *args, **kwargs):
        """Return the answer of an RPC call as a client gets it, or the exception; what
        was refused is taken back."""
        user = self.users.get(role) or self.env.ref("base.public_user")
        try:
            with self.env.cr.savepoint():
                records = self.env(user=user.id, su=False, context={})[model]
                answer = call_kw(records, method, list(args), kwargs)
                records.env.flush_all()  # as who calls: what is computed is theirs
            return json.loads(json.dumps(answer, default=json_default))
        except Exception as error:  # noqa: B902 (whatever it is, a cell names it)
            self.env.invalidate_all(flush=False)
            return error

    @staticmethod
    def _is_refused(answer):
        return isinstance(answer, AccessError)

    def _record(self, model):
        return self.records.get(model, self.env[model])
