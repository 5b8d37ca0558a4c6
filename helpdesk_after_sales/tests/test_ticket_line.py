from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestTicketLine(HelpdeskAfterSalesCommon):
    """X31: what a ticket is about is a record, and the ticket's own order, product and
    lot are those of its first line."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._sell(
            cls.contact_a1, (cls.lamp, 3), (cls.phone, 2), serials=cls.serials[:2]
        )
        cls.lamps, cls.phones = cls.order.order_line
        cls.other_order = cls._sell(cls.contact_a2, (cls.desk, 1))
        cls.foreign = cls._sell(cls.customer_b, (cls.lamp, 1), (cls.desk, 1))

    def _agents(self, **values):
        return self._ticket(self.contact_a1, **values).with_user(self.agent)

    def _about(self, record):
        return record.sale_order_id, record.product_id, record.lot_id

    def _check_in_step(self, ticket):
        self.assertEqual(self._about(ticket), self._about(ticket.line_ids[:1]))

    # -- In step ---------------------------------------------------------------

    def test_x31_first_line_follows_the_ticket(self):
        ticket = self._agents(sale_order_id=self.order.id, product_id=self.lamp.id)
        self.assertEqual(len(ticket.line_ids), 1)
        line = ticket.line_ids.sudo()
        self.assertEqual(line.sale_line_id, self.lamps)
        self.assertEqual((line.origin, line.state), ("agent", "draft"))
        self._check_in_step(ticket)
        ticket.write({"product_id": self.phone.id, "lot_id": self.serials[0].id})
        self.assertEqual(ticket.line_ids, line, "the same line")
        self.assertEqual(line.sale_line_id, self.phones)
        self._check_in_step(ticket)
        ticket.write({"sale_order_id": False, "product_id": False, "lot_id": False})
        self.assertFalse(ticket.line_ids)
        ticket.product_id = self.lamp
        self.assertEqual(ticket.line_ids.product_id, self.lamp)
        self.assertFalse(ticket.line_ids.sudo().sale_line_id, "of an order not said")

    def test_x31_ticket_follows_its_first_line(self):
        ticket = self._agents(
            line_ids=[
                Command.create({"sale_line_id": self.phones.id, "quantity": 1}),
                Command.create({"sale_line_id": self.lamps.id, "quantity": 2}),
            ]
        )
        phone, lamps = ticket.line_ids
        self.assertEqual(ticket.sale_order_id, self.order)
        self.assertEqual(ticket.product_id, self.phone)
        phone.lot_id = self.serials[1]
        self.assertEqual(ticket.lot_id, self.serials[1])
        lamps.sequence = phone.sequence - 1
        self.assertEqual(ticket.product_id, self.lamp)
        self.assertFalse(ticket.lot_id)
        lamps.unlink()
        self.assertEqual(ticket.product_id, self.phone)
        phone.unlink()
        self.assertFalse(any(self._about(ticket.sudo())))

    def test_x31_both_given(self):
        """API clients and imports may write both: the ticket's own come first."""
        about_phone = Command.create({"sale_line_id": self.phones.id})
        ticket = self._agents(product_id=self.lamp.id, line_ids=[about_phone])
        self.assertEqual(ticket.line_ids.mapped("product_id"), self.lamp + self.phone)
        self._check_in_step(ticket)
        same = self._agents(
            sale_order_id=self.order.id,
            product_id=self.phone.id,
            line_ids=[about_phone],
        )
        self.assertEqual(len(same.line_ids), 1)
        ticket.write({"product_id": self.desk.id, "line_ids": [about_phone]})
        self.assertEqual(
            [line.product_id for line in ticket.line_ids],
            [self.desk, self.phone, self.phone],
        )
        self._check_in_step(ticket)

    def test_x31_form_of_one_thing_stays_short(self):
        form = Form(self.env["helpdesk.ticket"].with_user(self.agent))
        form.name = "Lamp"
        form.team_id = self.team
        form.partner_id = self.contact_a1
        form.product_id = self.lamp
        self.assertFalse(form.show_lines)
        ticket = form.save()
        self.assertEqual(ticket.line_ids.product_id, self.lamp)
        with Form(ticket) as form:
            self.assertFalse(form.show_lines)
            form.product_id = self.phone
            form.lot_id = self.serials[0]
        self._check_in_step(ticket)
        ticket.action_add_lines([self.lamps.id])
        reason = self.env.ref("helpdesk_after_sales.reason_defective")
        with Form(ticket) as form:
            self.assertTrue(form.show_lines)
            with form.line_ids.edit(1) as line:
                self.assertEqual(line.product_id, self.lamp)
                line.quantity = 2
                line.reason_id = reason
        self.assertEqual(ticket.line_ids[1].quantity, 2)
        self.assertEqual(ticket.line_ids[1].reason_id, reason)

    def test_x31_lines_of_a_former_customer_go(self):
        ticket = self._agents()
        ticket.action_add_lines([self.lamps.id, self.phones.id])
        ticket.partner_id = self.contact_a2
        self.assertEqual(len(ticket.line_ids), 2, "of the same company")
        ticket.partner_id = self.customer_b
        self.assertFalse(ticket.line_ids.filtered(lambda line: line.sale_order_id))
        self._check_in_step(ticket)
        # Both bought lamps: that it is about a lamp may stay.
        self.assertIn(ticket.product_id, (self.lamp, self.lamp.browse()))

    def test_x31_duplicate_and_many_at_once(self):
        ticket = self._agents(sale_order_id=self.order.id, product_id=self.lamp.id)
        self._check_in_step(ticket.copy())
        # What members get are mails of their own.
        self.team.tell_members = False
        values = {
            "name": "Imported",
            "team_id": self.team.id,
            "partner_id": self.contact_a1.id,
            "sale_order_id": self.order.id,
        }

        def count(number):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            tickets = self.env["helpdesk.ticket"].create(
                [values | {"product_id": self.lamp.id} for _index in range(number)]
            )
            self.assertEqual(len(tickets.line_ids), number)
            self.env["helpdesk.ticket.line"].flush_model()
            return self.cr.sql_log_count - before

        count(2)
        few, many = count(2), count(12)
        # Numbers, mails and the check of the purchase are asked for one by one.
        self.assertLess((many - few) / 10, 14)

    # -- Purchases -------------------------------------------------------------

    def test_x31_one_press_in_purchases_adds_a_line(self):
        ticket = self._agents(sale_order_id=self.order.id)
        first = ticket.line_ids
        self.assertFalse(first.product_id)
        self.assertTrue(ticket.action_add_lines([self.lamps.id]))
        self.assertEqual(ticket.line_ids, first, "now it says of which product")
        self.assertEqual((first.product_id, first.quantity), (self.lamp, 3))
        self._check_in_step(ticket)
        rows = ticket.get_purchases()["rows"]
        self.assertEqual([row["product"] for row in rows], ["Lamp"])
        rows = ticket.get_purchases(everything=True)["rows"]
        self.assertEqual(
            [(row["product"], row["on_ticket"]) for row in rows],
            [("Desk", False), ("Lamp", True), ("Phone", False)],
        )
        desk = self.other_order.order_line
        for _press in range(2):
            ticket.action_add_lines([desk.id])
        self.assertEqual(ticket.line_ids.mapped("product_id"), self.lamp + self.desk)
        self.assertEqual(ticket.product_id, self.lamp)

    def test_x31_only_purchases_of_the_customer(self):
        """T14, T28: neither by a press nor by RPC, and nothing of it is told."""
        ticket = self._agents()
        sold = self.foreign.order_line[0]
        for nonsense in ([sold.id], [10**8], ["x"], 5, None, [True]):
            with self.subTest(nonsense=nonsense), self.assertRaises(UserError):
                ticket.action_add_lines(nonsense)
        lines = self.env["helpdesk.ticket.line"].with_user(self.agent)
        for values in (
            {"sale_line_id": sold.id},
            {"sale_order_id": self.foreign.id},
            {"lot_id": self.serials[3].id, "product_id": self.phone.id},
            {"sale_order_id": self.order.id, "sale_line_id": sold.id},
        ):
            with (
                self.subTest(values=values),
                self.assertRaises(ValidationError) as told,
            ):
                lines.create({"ticket_id": ticket.id} | values)
            self.assertNotIn(self.foreign.name, str(told.exception))
        self.assertFalse(ticket.line_ids)

    def test_x31_a_form_tells_no_foreign_order_or_lot(self):
        """Rights: ids are counted up in what the client asks before it saves."""
        ticket, sold = self._agents(), self.foreign.order_line[0]
        spec = {"fields": {"display_name": {}}}
        asked = {
            "sale_line_id": sold.id,
            "sale_order_id": self.foreign.id,
            "lot_id": self.serials[3].id,
        }
        lines = {"fields": dict.fromkeys((*asked, "product_id"), spec)}
        answers = (
            ticket.browse().onchange(
                {"partner_id": self.customer_b.id, "line_ids": [[0, "new", asked]]},
                ["line_ids"],
                {"line_ids": lines, "sale_order_id": spec},
            ),
            ticket.line_ids.browse().onchange(
                asked | {"ticket_id": ticket.id}, [*asked], lines["fields"]
            ),
        )
        for answer in answers:
            self.assertNotIn(self.foreign.name, str(answer))
            self.assertNotIn(self.serials[3].name, str(answer))

    # -- Who may ---------------------------------------------------------------

    def test_x31_what_the_server_writes(self):
        """An agent can't answer for the customer, nor ask, by RPC."""
        ticket = self._agents(product_id=self.lamp.id)
        line, lines = ticket.line_ids, ticket.line_ids.browse()
        for values in (
            {"state": "done"},
            {"state": "asked"},
            {"origin": "customer"},
            {"answer": "Yes"},
            {"answer_date": "2026-01-01 00:00:00"},
            {"service": "use_product_returns"},
        ):
            with self.subTest(values=values):
                with self.assertRaises(AccessError):
                    line.write(values)
                with self.assertRaises(AccessError):
                    lines.create({"ticket_id": ticket.id} | values)
                with self.assertRaises(AccessError):
                    ticket.write({"line_ids": [Command.update(line.id, values)]})
        with self.assertRaises(AccessError):
            line.ticket_id = self._agents()

    def test_x31_what_a_customer_asked_for_stays(self):
        ticket = self._agents(
            line_ids=[
                Command.create(
                    {
                        "sale_line_id": self.lamps.id,
                        "quantity": 2,
                        "origin": "customer",
                        "state": "asked",
                        "service": "use_product_returns",
                    }
                )
            ]
        )
        asked = ticket.line_ids
        for act in (
            lambda: asked.write({"quantity": 3}),
            lambda: asked.write({"product_id": self.phone.id}),
            asked.unlink,
        ):
            with self.assertRaises(AccessError):
                act()
        asked.reason_id = self.env.ref("helpdesk_after_sales.reason_defective")
        # The ticket is about something else first; the request stays as it is.
        ticket.product_id = self.phone
        self.assertEqual(ticket.line_ids[1], asked)
        self.assertEqual(asked.product_id, self.lamp)
        self._check_in_step(ticket)
        ticket.write({"sale_order_id": False, "product_id": False})
        self.assertEqual(ticket.line_ids, asked)
        self.assertEqual(ticket.product_id, self.lamp)

    def test_x31_who_sees_lines(self):
        self.team.privacy_visibility = "invited_internal"
        ticket = self._agents(product_id=self.lamp.id)
        line = ticket.line_ids
        lines = self.env["helpdesk.ticket.line"]
        self.assertEqual(line.read(["quantity"])[0]["quantity"], 0)
        self.assertFalse(
            lines.with_user(self.other_agent).search([("id", "in", line.ids)])
        )
        with self.assertRaises(AccessError):
            lines.with_user(self.other_agent).create({"ticket_id": ticket.id})
        portal = self._new_user(
            "line_portal", "base.group_portal", partner_id=self.contact_a1.id
        )
        with self.assertRaises(AccessError):
            lines.with_user(portal).search([])
        # Odoo's own pop-ups ask every colleague for the right to the model.
        self.assertFalse(lines.with_user(self.employee).search([]))
        with self.assertRaises(AccessError):
            line.with_user(self.employee).read(["quantity"])

    def test_x31_tickets_are_found_by_any_of_their_products(self):
        ticket = self._agents(product_id=self.lamp.id)
        ticket.action_add_lines([self.phones.id])
        found = self.env["helpdesk.ticket"].with_user(self.agent)
        for product in (self.lamp, self.phone):
            self.assertIn(
                ticket, found.search([("line_ids.product_id", "=", product.id)])
            )

    # -- Merge -----------------------------------------------------------------

    def test_x31_merging_moves_lines(self):
        target = self._agents(sale_order_id=self.order.id, product_id=self.lamp.id)
        source = self._agents(sale_order_id=self.order.id, product_id=self.lamp.id)
        source.action_add_lines([self.phones.id])
        source._merge_into(target)
        self.assertEqual(
            target.line_ids.mapped("product_id"), self.lamp + self.phone, "none twice"
        )
        self._check_in_step(target)
        self.assertEqual(source.product_id, self.lamp, "what it was about")

    def test_x31_a_ticket_without_purchase_takes_lines_over(self):
        target, source = self._agents(), self._agents()
        source.action_add_lines([self.lamps.id, self.phones.id])
        source._merge_into(target)
        self.assertEqual(target.line_ids.mapped("quantity"), [3, 2])
        self._check_in_step(target)


@tagged("post_install", "-at_install")
class TestTicketLineTour(HelpdeskAfterSalesCommon, HttpCase):
    def test_tour_agent_adds_a_purchase(self):
        order = self._sell(self.contact_a1, (self.lamp, 1), (self.desk, 2))
        ticket = self._ticket(
            self.contact_a1, sale_order_id=order.id, product_id=self.lamp.id
        )
        self.start_tour(
            f"/odoo/helpdesk-tickets/{ticket.id}",
            "helpdesk_agent_adds_a_purchase",
            login=self.agent.login,
        )
        self.assertEqual(
            [(line.product_id, line.quantity) for line in ticket.line_ids],
            [(self.lamp, 0), (self.desk, 2)],
        )
