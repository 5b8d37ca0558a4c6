"""What tickets are about, and what customers have asked for, becomes lines.

A database of the last version without lines is updated: nothing of it is lost.
"""

import shutil
import unittest

import pytest
from server import Ground
from test_packages import complaints, database_with
from test_update import unpack

#: the last commit whose requests are columns of the ticket
GROUND = "582ce6dac5"
ADDON = "helpdesk_after_sales"
DATA = """
alder = env["res.partner"].create({"name": "Alder"})
lamp, desk = env["product.product"].create([{"name": "Lamp"}, {"name": "Desk"}])
order = env["sale.order"].create({
    "partner_id": alder.id,
    "order_line": [
        (0, 0, {"product_id": product.id, "product_uom_qty": 3})
        for product in (lamp, desk)
    ],
})
order.action_confirm()
reason = env.ref("helpdesk_after_sales.reason_wear")
team = env["helpdesk.team"].create({"name": "Care"})

def make(name, **values):
    env["helpdesk.ticket"].create(
        {"name": name, "team_id": team.id, "partner_id": alder.id} | values
    )

def asked(state, **values):
    return {
        "request_service": "use_product_returns",
        "request_wish": "exchange",
        "request_state": state,
        "request_line_ids": [(0, 0, {
            "sale_line_id": order.order_line[0].id,
            "product_id": lamp.id,
            "quantity": 2,
            "uom_id": lamp.uom_id.id,
            "reason_id": reason.id,
        })],
    } | values

about_lamp = {"sale_order_id": order.id, "product_id": lamp.id}
make("nothing")
make("order", sale_order_id=order.id)
make("product", product_id=desk.id)
make("both", active=False, **about_lamp)
make("waiting", **about_lamp, **asked("waiting"))
make("approved", **about_lamp, **asked("approved"))
make("declined", **about_lamp, **asked("declined", request_answer="Too late"))
make("other", product_id=desk.id, **asked("waiting"))
env.cr.commit()
"""
LINES = """
    SELECT ticket.name, line.origin, line.state, line.sale_order_id IS NOT NULL,
           sold.product_id IS NOT NULL, template.name ->> 'en_US', line.quantity
      FROM helpdesk_ticket_line AS line
      JOIN helpdesk_ticket AS ticket ON ticket.id = line.ticket_id
      LEFT JOIN sale_order_line AS sold ON sold.id = line.sale_line_id
      LEFT JOIN product_product AS product ON product.id = line.product_id
      LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
      JOIN res_partner AS partner ON partner.id = ticket.partner_id
     WHERE partner.name = 'Alder'
     ORDER BY ticket.id, line.sequence, line.id
"""
EXPECTED = [
    ("order", "agent", "draft", True, False, None, 0),
    ("product", "agent", "draft", False, False, "Desk", 0),
    ("both", "agent", "draft", True, True, "Lamp", 0),
    ("waiting", "customer", "asked", True, True, "Lamp", 2),
    ("approved", "customer", "approved", True, True, "Lamp", 2),
    ("declined", "customer", "declined", True, True, "Lamp", 2),
    ("other", "agent", "draft", False, False, "Desk", 0),
    ("other", "customer", "asked", True, True, "Lamp", 2),
]


@pytest.mark.slow
class TestUpdateLines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ground = Ground([], database_with("helpdesk_base_"))
        cls.addClassCleanup(cls.ground.drop)
        unpack(GROUND, [ADDON], cls.ground.addons)
        cls.ground.create()
        cls.ground.install(ADDON)

    def _ask(self, question):
        return [tuple(row) for row in self.ground.sql(question)]

    def test_x31_tickets_and_requests_become_lines(self):
        self.ground.shell(DATA)
        reasons = self._ask(
            "SELECT reason_id, field.name FROM helpdesk_after_sales_reason_service_rel"
            " JOIN ir_model_fields AS field ON field.id = field_id ORDER BY 1, 2"
        )
        self.assertTrue(reasons)
        shutil.rmtree(self.ground.addons / ADDON)
        self.ground.log.write_text("")
        self.ground.run("-u", ADDON, "--stop-after-init", "--no-http")
        self.assertFalse(complaints(self.ground))

        self.assertEqual(self._ask(LINES), EXPECTED)
        [answer] = self._ask(
            "SELECT answer, resolution, service, reason_id IS NOT NULL"
            "  FROM helpdesk_ticket_line WHERE state = 'declined'"
        )
        self.assertEqual(answer, ("Too late", "exchange", "use_product_returns", True))
        self.assertEqual(
            self._ask(
                "SELECT reason_id, switch FROM helpdesk_reason_service_rel"
                " JOIN helpdesk_after_sales_service AS service"
                " ON service.id = service_id ORDER BY 1, 2"
            ),
            reasons,
        )
        # Nothing is left of what they were.
        for leftover in (
            "SELECT 1 FROM pg_tables WHERE tablename = 'helpdesk_ticket_request_line'",
            "SELECT 1 FROM pg_tables"
            " WHERE tablename = 'helpdesk_after_sales_reason_service_rel'",
            "SELECT 1 FROM information_schema.columns WHERE column_name IN"
            " ('request_state', 'request_wish', 'request_service', 'request_answer')",
            "SELECT 1 FROM ir_model_data WHERE name ^@ 'helpdesk_ticket_request_line'",
            "SELECT 1 FROM ir_model_access AS access JOIN ir_model AS model"
            " ON model.id = model_id JOIN res_groups AS access_group"
            " ON access_group.id = group_id JOIN ir_model_data AS data"
            " ON data.res_id = access_group.id AND data.model = 'res.groups'"
            " WHERE model.model = 'ir.model.fields'"
            " AND data.module = 'helpdesk_after_sales'",
        ):
            with self.subTest(leftover):
                self.assertFalse(self._ask(leftover))
