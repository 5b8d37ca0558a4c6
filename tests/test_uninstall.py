"""Install, use, uninstall and install again: each service, and one of somebody else.

What the uninstallation of a service must leave: its documents in their application,
teams that no longer offer it and say so, and a ticket form that opens (T30).
"""

import shutil
import unittest
from pathlib import Path

import pytest
from server import Client, Ground, ServerError

ROOT = Path(__file__).resolve().parents[1]
#: service: its addon, the model of its documents, what one is made of
SERVICES = {
    "use_credit_notes": (
        "helpdesk_refund",
        "account.move",
        lambda ids: {"move_type": "out_refund", "partner_id": ids["partner"]},
    ),
    "use_coupons": (
        "helpdesk_coupon",
        "loyalty.card",
        lambda ids: {"program_id": ids["program"], "partner_id": ids["partner"]},
    ),
    "use_product_returns": (
        "helpdesk_return",
        "stock.picking",
        lambda ids: {"picking_type_id": ids["in"], "partner_id": ids["partner"]},
    ),
    "use_product_repairs": (
        "helpdesk_repair",
        "repair.order",
        lambda ids: {"partner_id": ids["partner"]},
    ),
    "use_fsm": (
        "helpdesk_fsm",
        "project.task",
        lambda ids: {"name": "Visit", "partner_id": ids["partner"]},
    ),
    "use_maintenance": (
        "helpdesk_test_service",
        "maintenance.request",
        lambda ids: {"name": "Oil it"},
    ),
}


def present():
    """Return the services whose addon is here."""
    return {
        switch: service
        for switch, service in SERVICES.items()
        if any(
            (folder / service[0] / "__manifest__.py").exists()
            for folder in (ROOT, ROOT / "tests" / "addons")
        )
    }


@pytest.mark.slow
class TestUninstall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services = present()
        addons = [addon for addon, _model, _values in cls.services.values()]
        cls.ground = Ground(["helpdesk_after_sales", *addons])
        cls.addClassCleanup(cls.ground.drop)
        shutil.copytree(
            ROOT / "tests" / "addons" / "helpdesk_test_service",
            cls.ground.addons / "helpdesk_test_service",
        )
        cls.ground.create()
        cls.ground.sql("UPDATE res_users SET password = login")
        address = cls.enterClassContext(cls.ground.serve())
        cls.admin = Client(address, cls.ground.database, "admin")
        make = cls._make
        agent_group = cls.admin.call(
            "ir.model.data",
            "check_object_reference",
            "helpdesk_after_sales",
            "group_helpdesk_user",
        )[1]
        for login in ("agent", "colleague"):
            make(
                "res.users",
                name=login,
                login=login,
                password="agent-agent",
                group_ids=[(6, 0, [agent_group])],
            )
        cls.address = address
        cls.agent = Client(address, cls.ground.database, "agent", "agent-agent")
        cls.ids = {"partner": make("res.partner", name="Alder")}
        cls.ids["team"] = make(
            "helpdesk.team", name="Care", **dict.fromkeys(cls.services, True)
        )
        cls.ids["ticket"] = make(
            "helpdesk.ticket",
            name="Lamp",
            team_id=cls.ids["team"],
            partner_id=cls.ids["partner"],
        )
        if "use_coupons" in cls.services:
            cls.ids["program"] = make(
                "loyalty.program", name="Sorry", program_type="coupons"
            )
        [cls.ids["in"]] = cls.admin.call(
            "stock.picking.type", "search", [["code", "=", "incoming"]], limit=1
        )

    @classmethod
    def _make(cls, model, **values):
        [record_id] = cls.admin.call(model, "create", [values])
        return record_id

    def _module(self, addon, button):
        ids = self.admin.call("ir.module.module", "search", [["name", "=", addon]])
        self.admin.call("ir.module.module", button, ids)

    def _ticket_form(self, client=None):
        """Return the arch of the ticket's form, once all of its fields were read."""
        client = client or self.admin
        views = client.call("helpdesk.ticket", "get_views", [[False, "form"]])
        client.call("helpdesk.team", "get_views", [[False, "form"]])
        names = views["models"]["helpdesk.ticket"]["fields"]
        # The client asks for every field of the view.
        arch = views["views"]["form"]["arch"]
        shown = [name for name in names if f'name="{name}"' in arch]
        client.call(
            "helpdesk.ticket", "web_read", [self.ids["ticket"]], {n: {} for n in shown}
        )
        return arch

    def _read(self, model, record_id, *names):
        [values] = self.admin.call(model, "read", [record_id], list(names))
        return values

    def test_t30_uninstall_and_reinstall_each_service_with_data(self):
        for switch, (addon, model, values) in self.services.items():
            with self.subTest(addon):
                self._check_service(switch, addon, model, values(self.ids))

    def _check_service(self, switch, addon, model, values):
        team, ticket = self.ids["team"], self.ids["ticket"]
        self.admin.call("helpdesk.team", "write", [team], {switch: True})
        document = self._make(model, helpdesk_ticket_id=ticket, **values)
        before = self._ticket_form()
        self._module(addon, "button_immediate_uninstall")

        # Documents stay in their application, without the link.
        self.assertTrue(self._read(model, document, "display_name"))
        self.admin.call(model, "get_views", [[False, "form"]])
        with self.assertRaises(ServerError):
            self._read(model, document, "helpdesk_ticket_id")
        # The ticket opens, without the service; its chatter still names the document.
        self.assertLess(len(self._ticket_form()), len(before))
        self._ticket_form(self.agent)
        self.assertFalse(
            self.ground.sql("SELECT 1 FROM ir_model_data WHERE module = %s", addon)
        )
        messages = self.admin.call(
            "mail.message",
            "search_read",
            [["model", "in", ["helpdesk.team", "helpdesk.ticket"]]],
            ["model", "res_id", "body"],
        )
        bodies = {
            key: "".join(
                m["body"] for m in messages if (m["model"], m["res_id"]) == key
            )
            for key in (("helpdesk.team", team), ("helpdesk.ticket", ticket))
        }
        self.assertIn("was created", bodies["helpdesk.ticket", ticket])
        self.assertRegex(
            bodies["helpdesk.team", team],
            r"was uninstalled\. Documents [^<]* ticket of this team: 1;",
        )
        if switch != "use_maintenance":  # its switch went with the addon
            self.assertFalse(self._read("helpdesk.team", team, switch)[switch])

        # Installed from the Apps menu: the switch is offered, and off.
        self._module(addon, "button_immediate_install")
        values_of_team = self._read("helpdesk.team", team, switch, "service_notices")
        self.assertFalse(values_of_team[switch])
        self.assertNotIn(switch, values_of_team["service_notices"] or {})
        self.admin.call("helpdesk.team", "write", [team], {switch: True})
        self.assertEqual(len(self._ticket_form()), len(before))
        self.assertFalse(
            self._read(model, document, "helpdesk_ticket_id")["helpdesk_ticket_id"]
        )

    def test_service_of_somebody_else(self):
        """A sixth service in under 120 lines: switch, wizard, link, counter, button."""
        folder = ROOT / "tests" / "addons" / "helpdesk_test_service"
        lines = sum(
            len(file.read_text().splitlines())
            for file in folder.rglob("*.*")
            if file.suffix in (".py", ".xml", ".csv")
        )
        self.assertLess(lines, 120)
        team, partner = self.ids["team"], self.ids["partner"]
        ticket = self._make(
            "helpdesk.ticket", name="Desk", team_id=team, partner_id=partner
        )
        self.admin.call("helpdesk.team", "write", [team], {"use_maintenance": True})
        self.assertIn('name="action_maintenance"', self._ticket_form(self.agent))
        action = self.agent.call("helpdesk.ticket", "action_maintenance", [ticket])
        context = action["context"]
        wizard = self.agent.call(
            action["res_model"], "create", {"name": "Oil it"}, context=context
        )
        opened = [
            self.agent.call(
                action["res_model"], "action_confirm", [wizard], context=context
            )
            for _click in range(2)
        ]
        self.assertEqual(opened[0]["res_id"], opened[1]["res_id"])
        [values] = self.agent.call(
            "helpdesk.ticket", "read", [ticket], ["maintenance_count"]
        )
        self.assertEqual(values["maintenance_count"], 1)
        action = self.agent.call("helpdesk.ticket", "action_view_maintenance", [ticket])
        self.assertEqual(action["res_id"], opened[0]["res_id"])
        # Switched off: no button, refused through RPC, the document stays reachable.
        self.admin.call("helpdesk.team", "write", [team], {"use_maintenance": False})
        with self.assertRaisesRegex(ServerError, "switched off for the team"):
            self.agent.call("helpdesk.ticket", "action_maintenance", [ticket])
        with self.assertRaisesRegex(ServerError, "switched off for the team"):
            self.agent.call("helpdesk.test.wizard", "action_confirm", [wizard])
        self.agent.call("helpdesk.ticket", "action_view_maintenance", [ticket])
        colleague = Client(
            self.address, self.ground.database, "colleague", "agent-agent"
        )
        for agent in (self.agent, colleague):
            # With helpdesk rights only: the document is that of a ticket they see.
            agent.call("maintenance.request", "read", [opened[0]["res_id"]], ["name"])

    def test_customer_asks_for_the_service_of_somebody_else(self):
        """Review 7 and 20: a resolution that only the sixth service knows."""
        self.admin.call(
            "helpdesk.team", "write", [self.ids["team"]], {"use_maintenance": True}
        )
        portal_group = self.admin.call(
            "ir.model.data", "check_object_reference", "base", "group_portal"
        )[1]
        user = self._make(
            "res.users",
            name="Cora",
            login="customer",
            password="customer-customer",
            group_ids=[(6, 0, [portal_group])],
        )
        [values] = self.admin.call("res.users", "read", [user], ["partner_id"])
        product = self._make("product.product", name="Boiler", type="service")
        order = self._make(
            "sale.order",
            partner_id=values["partner_id"][0],
            order_line=[(0, 0, {"product_id": product, "product_uom_qty": 2})],
        )
        self.admin.call("sale.order", "action_confirm", [order])
        [line] = self.admin.call(
            "sale.order.line", "search", [["order_id", "=", order]]
        )
        self.admin.call("sale.order.line", "write", [line], {"qty_delivered": 2})
        customer = Client(
            self.address, self.ground.database, "customer", "customer-customer"
        )
        [bought] = customer.call("helpdesk.ticket", "portal_purchases")
        [offer] = [
            offer
            for offer in bought["requests"]
            if offer["service"] == "use_maintenance"
        ]
        self.assertEqual((offer["left"], offer["refusal"]), (2, False))
        request = ("use_maintenance", line, 1)
        with self.assertRaisesRegex(ServerError, "offered"):
            customer.call("helpdesk.ticket", "portal_request", *request, wish="money")
        ticket = customer.call(
            "helpdesk.ticket", "portal_request", *request, wish="parts"
        )
        action = self.agent.call("helpdesk.ticket", "action_approve_request", [ticket])
        context = action["context"]
        wizard = self.agent.call(
            action["res_model"], "create", {"name": "Oil it"}, context=context
        )
        self.agent.call(action["res_model"], "action_confirm", [wizard])
        [values] = self.agent.call(
            "helpdesk.ticket.line",
            "search_read",
            [["ticket_id", "=", ticket]],
            ["state", "resolution"],
        )
        self.assertEqual(values["state"], "approved")
        self.assertEqual(values["resolution"], "parts")
