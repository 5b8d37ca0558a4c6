from lxml.html import fromstring

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common import HelpdeskReturnCommon

SERVICE = "use_product_returns"


class ReturnRequestCommon(HelpdeskReturnCommon):
    """Two customers with a log-in, who may ask for returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_a1, cls.user_a2, cls.user_b = (
            cls._new_user(
                f"return_request_{name}",
                "base.group_portal",
                partner_id=partner.id,
                email=partner.email,
            )
            for name, partner in (
                ("a1", cls.contact_a1),
                ("a2", cls.contact_a2),
                ("b", cls.customer_b),
            )
        )
        cls.lamps, cls.phones = cls.order_a.order_line
        # Only one team takes requests, whatever else is in the database.
        (cls.env["helpdesk.team"].search([]) - cls.team).allow_portal_requests = False

    def _ask(self, quantity=1, line=None, user=None, **values):
        """Ask in the portal; returns the ticket."""
        tickets = self.env["helpdesk.ticket"].with_user(user or self.user_a1)
        ticket_id = tickets.portal_request(
            SERVICE, (line or self.lamps).id, quantity, **values
        )
        return self.env["helpdesk.ticket"].browse(ticket_id)

    def _approve(self, ticket, user=None):
        """Return the pop-up that **Approve** opens."""
        ticket = ticket.with_user(user or self.agent)
        action = ticket.action_approve_request()
        return Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"])
        )

    def _decline(self, ticket, user=None):
        ticket = ticket.with_user(user or self.agent)
        action = ticket.action_decline_request()
        form = Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"])
        )
        form.reason = "Thrown out of the window"
        form.answer = "We can't take back what fell."
        return form.save().action_decline()

    def _left(self, line=None, user=None):
        tickets = self.env["helpdesk.ticket"].with_user(user or self.user_a1)
        for row in tickets.portal_purchases():
            if row["id"] == (line or self.lamps).id:
                (offer,) = [o for o in row["requests"] if o["service"] == SERVICE]
                return offer["left"], offer["refusal"]
        return None


@tagged("post_install", "-at_install")
class TestReturnRequest(ReturnRequestCommon):
    def test_x10_customer_is_told_what_a_rule_refuses(self):
        returns = self.env.ref("helpdesk_after_sales.service_return")
        reason = self.env["helpdesk.after.sales.reason"].create(
            {"name": "Opened", "services": [Command.link(returns.id)]}
        )
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rule = rules.create(
            {
                "name": "Internal name",
                "verdict": "refuse",
                "reason_ids": reason.ids,
                "message": "We don't take back what was opened.",
            }
        )
        self.assertTrue(self._left()[0], "for other reasons")
        with self.assertRaisesRegex(UserError, "what was opened"):
            self._ask(reason_id=reason.id)
        rule.reason_ids = False
        self.assertEqual(self._left(), (0, rule.message))
        with self.assertRaisesRegex(UserError, "what was opened"):
            self._ask()

    def test_x9_request_from_question_to_slip(self):
        reason = self.env["helpdesk.after.sales.reason"].search(
            [("services.switch", "=", SERVICE)], limit=1
        )
        ticket = self._ask(
            2, wish="exchange", reason_id=reason.id, description="Both flicker"
        )
        self.assertRecordValues(
            ticket,
            [
                {
                    "team_id": self.team.id,
                    "partner_id": self.contact_a1.id,
                    "sale_order_id": self.order_a.id,
                    "product_id": self.lamp.id,
                }
            ],
        )
        self.assertRecordValues(
            ticket.line_ids,
            [
                {
                    "sale_line_id": self.lamps.id,
                    "quantity": 2,
                    "origin": "customer",
                    "state": "asked",
                    "service": SERVICE,
                    "resolution": "exchange",
                }
            ],
        )
        agents = ticket.with_user(self.agent)
        self.assertIn("2 × Lamp", agents.request_summary)
        self.assertIn("Exchange", agents.request_summary)
        self.assertEqual(agents.request_notice, "All of it is still available.")
        self.assertEqual(self._left(), (1, False))

        self.assertEqual(ticket.name, "Return of Lamp")
        form = self._approve(ticket)
        self.assertEqual(
            form.helpdesk_request_summary,
            f"The customer asks to return 2 × Lamp ({self.order_a.name}), "
            f"{reason.name}. Requested: Exchange.",
        )
        self.assertFalse(self._form().helpdesk_request_summary, "another ticket")
        self.assertEqual(form.picking_id.id, self.delivery_a.id)
        self.assertEqual(form.helpdesk_reason_id, reason)
        wizard = form.save()
        self.assertEqual(
            {line.product_id: line.quantity for line in wizard.line_ids},
            {self.lamp: 2, self.phone: 0},
        )
        wizard.action_return()
        (back,) = ticket.return_ids
        self.assertEqual(back.move_ids.product_uom_qty, 2)
        self.assertEqual(back.helpdesk_reason_id, reason)
        self.assertEqual(ticket.line_ids.state, "approved")

        mail = ticket.message_ids.filtered(lambda m: "approved your request" in m.body)
        self.assertEqual(mail.author_id, self.agent.partner_id)
        self.assertIn(self.contact_a1, mail.notified_partner_ids)
        self.assertIn(f"/my/tickets/{ticket.id}/return/{back.id}", mail.body)
        acts = ticket.with_user(self.user_a1).portal_timeline()
        self.assertEqual(
            [(act["title"], act["state"]) for act in acts],
            [
                ("Request received", False),
                ("Answer to your request", "Approved"),
                (f"Return {back.name}", "We are waiting for it"),
            ],
        )
        self.assertIn("2 × Lamp", acts[-1]["detail"])
        self._deliver(back)
        (*_others, last) = ticket.with_user(self.user_a1).portal_timeline()
        self.assertEqual((last["state"], last["url"]), ("Received", False))

    def test_x9_decline(self):
        ticket = self._ask()
        self._decline(ticket)
        self.assertEqual(ticket.line_ids.state, "declined")
        self.assertFalse(ticket.return_ids)
        note, told = (
            ticket.message_ids.filtered(lambda m, text=text: text in (m.body or ""))
            for text in ("out of the window", "take back what fell")
        )
        self.assertTrue(note.is_internal or note.subtype_id.internal)
        self.assertFalse(note & told)
        self.assertIn(self.contact_a1, told.notified_partner_ids)
        acts = ticket.with_user(self.user_a1).portal_timeline()
        self.assertEqual(acts[-1]["state"], "Declined")
        self.assertIn("what fell", acts[-1]["detail"])
        self.assertNotIn("window", str(acts))
        # what was declined can be asked for again
        self.assertEqual(self._left(), (3, False))
        for answer in (self._decline, self._approve):
            with self.assertRaisesRegex(UserError, "already been answered"):
                answer(ticket)

    def test_x9_quantity_stays_within_what_is_left(self):
        """T4, X4: requests count against each other and against returns."""
        for quantity in (0, -1, 3.5, 4, "x", None, float("nan"), float("inf"), 1e308):
            with self.subTest(quantity=quantity), self.assertRaises(UserError):
                self._ask(quantity)
        self._ask(2)
        with self.assertRaisesRegex(UserError, "Only 1 can still"):
            self._ask(2, user=self.user_a2)
        self._ask(1, user=self.user_a2)
        self.assertEqual(self._left(), (0, "You have already requested this."))
        with self.assertRaisesRegex(UserError, "already"):
            self._ask(1)

    def test_x9_what_was_returned_otherwise_is_not_left(self):
        ticket = self._ask(2)
        self._return({self.lamp: 2})
        self.assertEqual(ticket.with_user(self.agent).request_notice[:4], "Lamp")
        wizard = self._approve(ticket).save()
        line = wizard.line_ids.filtered(lambda line: line.product_id == self.lamp)
        self.assertEqual(line.quantity, 1, "not more than is left is proposed")
        line.quantity = 2
        with self.assertRaisesRegex(UserError, "too many"):
            wizard.action_return()
        self.assertEqual(ticket.line_ids.state, "asked")
        self._return({self.lamp: 1})
        self.assertEqual(self._left(), (0, "All of it is already on a return."))

    def test_x9_serial_numbers(self):
        first, second = self.serials[:2]
        for lot, quantity in ((False, 1), (first, 2), (self.serials[2], 1)):
            with self.subTest(lot=lot), self.assertRaises(UserError):
                self._ask(quantity, self.phones, lot_id=lot and lot.id)
        ticket = self._ask(1, self.phones, lot_id=second.id)
        self.assertEqual(ticket.lot_id, second)
        with self.assertRaisesRegex(UserError, "already"):
            self._ask(1, self.phones, lot_id=second.id)
        wizard = self._approve(ticket).save()
        wizard.action_return()
        self.assertEqual(ticket.return_ids.move_line_ids.lot_id, second)
        with self.assertRaisesRegex(UserError, "already"):
            self._ask(1, self.phones, lot_id=second.id)
        self._ask(1, self.phones, lot_id=first.id)

    def test_x9_what_can_not_be_asked_for_is_said_before(self):
        order = self._sell(self.contact_a1, (self.service, 1), (self.desk, 1))
        self.assertEqual(
            self._left(order.order_line[0]), (0, "Only goods can be returned.")
        )
        waiting = self._sell(self.contact_a1, (self.desk, 1), deliver=False)
        self.assertEqual(
            self._left(waiting.order_line), (0, "None of it has been delivered yet.")
        )
        for line in order.order_line[0] | waiting.order_line:
            with self.assertRaises(UserError):
                self._ask(1, line)
        self.team.allow_portal_requests = False
        self.assertRaisesRegex(UserError, "not offered", self._ask)
        self.team.write({"allow_portal_requests": True, SERVICE: False})
        self.assertRaisesRegex(UserError, "not offered", self._ask)

    def test_x9_wish_and_reason_come_from_the_list(self):
        with self.assertRaisesRegex(UserError, "resolutions"):
            self._ask(wish="a pony")
        with self.assertRaisesRegex(UserError, "reasons"):
            self._ask(reason_id=10**8)
        self.team.require_reason = True
        with self.assertRaisesRegex(UserError, "reasons"):
            self._ask()

    def test_x9_delivery_in_two_parts(self):
        """One return takes from one delivery: so does a request."""
        order = self._sell(self.contact_a1, (self.lamp, 5), deliver=False)
        picking = order.picking_ids
        picking.action_assign()
        picking.move_ids.write({"quantity": 2, "picked": True})
        picking._action_done()
        rest = order.picking_ids - picking
        self._deliver(rest)
        line = order.order_line
        self.assertEqual(self._left(line), (3, False))
        ticket = self._ask(3, line)
        wizard = self._approve(ticket).save()
        self.assertEqual(wizard.picking_id.id, rest.id)
        wizard.action_return()
        self.assertEqual(self._left(line), (2, False))

    def test_x9_units_of_the_order_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        order = self.env["sale.order"].create(
            {
                "partner_id": self.contact_a1.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.lamp.id,
                            "product_uom_qty": 2,
                            "product_uom_id": dozen.id,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self._deliver(order.picking_ids)
        self.assertEqual(self._left(order.order_line), (2, False))
        ticket = self._ask(1, order.order_line)
        wizard = self._approve(ticket).save()
        wizard.action_return()
        move = ticket.return_ids.move_ids
        self.assertEqual(
            move.product_uom._compute_quantity(move.product_uom_qty, self.lamp.uom_id),
            12,
        )

    # -- Who may ------------------------------------------------------------

    def test_t14_t28_requests_are_answered_by_who_works_on_the_ticket(self):
        ticket = self._ask()
        employee = new_test_user(self.env, "request_employee", groups="base.group_user")
        for user in (self.user_a1, self.user_b, employee, self.stock_user):
            for call in ("action_approve_request", "action_decline_request"):
                with self.subTest(user=user.login, call=call):
                    with self.assertRaises(AccessError):
                        getattr(ticket.with_user(user), call)()
        self.team.privacy_visibility = "invited_internal"
        outsider = new_test_user(self.env, "request_outsider", groups=AGENT)
        with self.assertRaises(AccessError):
            ticket.with_user(outsider).action_approve_request()
        wizards = self.env["helpdesk.ticket.request.decline"]
        with self.assertRaises(AccessError):
            wizards.with_user(outsider).create(
                {"helpdesk_ticket_id": ticket.id, "reason": "x", "answer": "x"}
            )
        self.assertEqual(ticket.line_ids.state, "asked")
        self.assertFalse(
            self.env["helpdesk.ticket.line"].with_user(outsider).search([])
        )

    def test_request_ends_with_its_customer(self):
        """The former customer loses it, the new one never learns of it."""
        ticket = self._ask()
        ticket.partner_id = self.customer_b
        with self.assertRaises(AccessError):
            ticket.with_user(self.user_a1).portal_timeline()
        self.assertFalse(ticket._get_requests())
        self.assertFalse(ticket.line_ids.sale_order_id)
        acts = ticket.with_user(self.user_b).portal_timeline()
        self.assertNotIn("Lamp", str(acts))
        self.assertEqual(self._left(), (3, False))
        with self.assertRaisesRegex(UserError, "requested anything"):
            ticket.with_user(self.agent).action_approve_request()

    def test_documents_of_the_former_customer_are_not_shown(self):
        ticket = self._ask()
        self._approve(ticket).save().action_return()
        ticket.partner_id = self.customer_b
        acts = ticket.with_user(self.user_b).portal_timeline()
        self.assertEqual(len(acts), 1, acts)

    def test_request_stays_with_the_company(self):
        ticket = self._ask()
        ticket.partner_id = self.contact_a2
        self.assertEqual(ticket.line_ids.state, "asked")

    def test_request_goes_along_when_tickets_are_merged(self):
        ticket, other = self._ask(2), self._ticket(self.contact_a2)
        ticket.with_user(self.agent)._merge_into(other)
        self.assertEqual(other.line_ids.state, "asked")
        self.assertFalse(ticket.line_ids)
        self.assertEqual(ticket.product_id, self.lamp, "what it was about")
        self.assertEqual(other.product_id, self.lamp)
        self.assertEqual(self._left(), (1, False))
        self._approve(other).save().action_return()
        self.assertEqual(other.return_ids.move_ids.product_uom_qty, 2)

    def test_x31_tickets_with_requests_are_merged(self):
        """Review 7: two requests no longer make tickets unmergeable."""
        target = self._ask(2)
        source = self._ask(1, self.phones, lot_id=self.serials[0].id)
        asked = source.line_ids
        source.with_user(self.agent)._merge_into(target)
        self.assertEqual(target.line_ids[1], asked)
        self.assertEqual(target.line_ids.mapped("state"), ["asked", "asked"])
        self.assertEqual(target.product_id, self.lamp)

    def test_x31_requests_of_a_ticket_are_answered_one_by_one(self):
        ticket = self._ask(2)
        added = self._ask(
            1,
            self.phones,
            lot_id=self.serials[1].id,
            ticket_id=ticket.id,
            description="And this one is dead",
        )
        self.assertEqual(added, ticket)
        lamps, phone = ticket.line_ids
        self.assertEqual(phone.lot_id, self.serials[1])
        self.assertIn("dead", ticket.message_ids[0].body)
        agents = ticket.with_user(self.agent)
        self.assertIn("Lamp", agents.request_summary)
        self.assertTrue(agents.show_lines)

        # The second one first, from its line.
        action = phone.with_user(self.agent).action_approve()
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        )
        self.assertIn("Phone", form.helpdesk_request_summary)
        wizard = form.save()
        self.assertEqual(
            {line.product_id: line.quantity for line in wizard.line_ids},
            {self.lamp: 0, self.phone: 1},
        )
        wizard.action_return()
        self.assertEqual(ticket.return_ids.move_line_ids.lot_id, self.serials[1])
        self.assertEqual((lamps.state, phone.state), ("asked", "approved"))
        self.assertIn("Lamp", agents.request_summary)
        self._decline(ticket)
        self.assertEqual((lamps.state, phone.state), ("declined", "approved"))
        self.assertFalse(agents.request_line_id)
        customers = ticket.with_user(self.user_a1)
        lines = customers.portal_details()["lines"]
        self.assertEqual([line["asked"] for line in lines], [True, True])
        self.assertEqual([bool(line["answer"]) for line in lines], [True, False])
        titles = [act["title"] for act in customers.portal_timeline()]
        self.assertEqual(titles.count("Answer to your request"), 2)

    def test_x31_only_own_open_requests_can_be_added_to(self):
        """T14: neither another customer's ticket, nor an answered or closed one."""
        foreign = self._ticket(self.customer_b)
        answered = self._ask(1)
        self._decline(answered)
        closed = self._ask(1)
        closed.stage_id = self.team.stage_ids.filtered("fold")[0]
        for ticket in (foreign, answered, closed):
            with self.subTest(ticket=ticket), self.assertRaises(UserError):
                self._ask(1, ticket_id=ticket.id)

    def test_t2_a_form_that_is_sent_twice_adds_one_line(self):
        ticket = self._ask(1)
        for _number in range(2):
            self.assertEqual(self._ask(1, ticket_id=ticket.id, key="once"), ticket)
        self.assertEqual(len(ticket.line_ids), 2)

    def test_x31_what_an_agent_noted_is_proposed_and_done(self):
        """Lines from the tab Purchases: quantity, lot and reason of each."""
        reason = self.env.ref("helpdesk_after_sales.reason_defective")
        ticket = self._ticket(self.contact_a1).with_user(self.agent)
        ticket.action_add_lines([self.lamps.id, self.phones.id])
        lamps, phones = ticket.line_ids
        lamps.write({"quantity": 2, "reason_id": reason.id})
        phones.quantity = 1
        phones.sudo().lot_id = self.serials[1]
        wizard = self._form(ticket=ticket).save()
        proposed = {line.product_id: line for line in wizard.line_ids}
        self.assertEqual(proposed[self.lamp].quantity, 2)
        self.assertEqual(proposed[self.lamp].reason_id, reason)
        self.assertEqual(proposed[self.phone].lot_ids, self.serials[1])
        proposed[self.phone].write({"quantity": 0, "lot_ids": [Command.clear()]})
        wizard.action_return()
        self.assertEqual((lamps.state, phones.state), ("done", "draft"))
        # The next one is about the rest.
        wizard = self._form(ticket=ticket).save()
        self.assertEqual(
            {line.product_id: line.quantity for line in wizard.line_ids},
            {self.lamp: 0, self.phone: 1},
        )

    def test_t2_pop_up_that_is_late_does_nothing(self):
        ticket = self._ask()
        late = self._approve(ticket).save()
        self._decline(ticket)
        with self.assertRaisesRegex(UserError, "in the meantime"):
            late.action_return()
        self.assertFalse(ticket.return_ids)

    def test_t2_one_form_makes_one_ticket(self):
        self.assertEqual(self._ask(key="form"), self._ask(key="form"))
        self.assertNotEqual(self._ask(key="form 2"), self._ask(key="form"))
        self.assertNotEqual(
            self._ask(key="form", user=self.user_a2), self._ask(key="form")
        )


@tagged("post_install", "-at_install")
class TestReturnRequestPages(ReturnRequestCommon, HttpCase):
    def _login(self, user):
        self.authenticate(user.login, user.login)

    def test_x4_x9_pages_say_what_can_be_asked_for(self):
        """X4, X9; 22 C: plain words, no references of ours, and no "1 Units"."""
        self._login(self.user_a1)
        self.lamp.default_code = "AS-LAMP"
        text = self.url_open("/my/purchases").text
        self.assertIn("3 delivered", text)
        address = f"/my/purchases/{self.lamps.id}/return"
        self.assertIn(address, text)
        page = self.url_open(address)
        self.assertIn("You can request 3 at most", page.text)
        ticket = self._ask(3)
        own = self.url_open(f"/my/tickets/{ticket.id}")
        for shown in (text, page.text, own.text):
            self.assertIn("Lamp", shown)
            self.assertNotIn("AS-LAMP", shown)
            self.assertNotIn("Units", shown)
        self.assertNotIn(address, self.url_open("/my/purchases").text)
        page = self.url_open(address)
        self.assertIn("You have already requested this", page.text)
        self.assertNotIn('name="quantity"', page.text)
        order = self.url_open(f"/my/orders/{self.order_a.id}")
        self.assertIn('href="/my/purchases"', order.text)

    def _badges(self, ticket):
        """Return what the list and the page say about the request of a ticket."""
        address = f"/my/tickets/{ticket.id}"
        badges = []
        for url in ("/my/tickets", address):
            page = fromstring(self.url_open(url).text)
            [place] = (
                page.xpath(f"//tr[.//a[@href='{address}']]")
                if url != address
                else page.find_class("o_portal_content")
            )
            badges.append(
                [badge.text for badge in place.find_class("o_helpdesk_request")]
            )
        details = ticket.with_user(self.user_a1).portal_details()
        badges.append([details["request"]] if details["request"] else [])
        return badges

    def test_x9_list_and_page_say_how_far_the_request_is(self):
        self._login(self.user_a1)
        asked, declined, dropped = (self._ask() for _number in range(3))
        for ticket in (asked, declined, dropped):
            self.assertEqual(self._badges(ticket), [["Waiting for an answer"]] * 3)
        self._approve(asked).save().action_return()
        self.assertEqual(self._badges(asked), [["Approved"]] * 3)
        self._decline(declined)
        self.assertEqual(self._badges(declined), [["Declined"]] * 3)
        dropped.stage_id = self.team.stage_ids.filtered("fold")[0]
        self.assertEqual(self._badges(dropped), [[]] * 3)
        self.assertNotIn(
            "Waiting", str(dropped.with_user(self.user_a1).portal_timeline())
        )
        self.assertEqual(self._badges(self.ticket_a), [[]] * 3)

    def test_x31_a_request_is_added_to_an_open_one(self):
        self._login(self.user_a1)
        ticket, serial = self._ask(1), self.serials[0]
        address = f"/my/purchases/{self.phones.id}/return"
        page = fromstring(self.url_open(address).text)
        [form] = page.xpath("//form[@enctype]")
        values = {name: form.fields[name] or "" for name in form.fields}
        del values["photos"]
        values |= {"lot_id": str(serial.id), "ticket_id": str(ticket.id)}
        answer = self.url_open(address, data=values, allow_redirects=False)
        self.assertIn(f"/my/tickets/{ticket.id}?", answer.headers["Location"])
        self.assertEqual(ticket.line_ids[1].lot_id, serial)
        page = fromstring(self.url_open(f"/my/tickets/{ticket.id}").text)
        lines = [line.text_content() for line in page.find_class("o_helpdesk_line")]
        self.assertEqual(len(lines), 2)
        self.assertIn(serial.name, lines[1])
        self.assertEqual(["Waiting" in line for line in lines], [True, True])
        self._decline(ticket)
        page = fromstring(self.url_open(f"/my/tickets/{ticket.id}").text)
        first, second = page.find_class("o_helpdesk_line")
        self.assertIn("take back what fell", first.text_content())
        self.assertNotIn("window", first.text_content(), "that is for colleagues")
        self.assertIn("Waiting", second.text_content())

    def test_t8_forms_of_others_are_not_found(self):
        lamps = self.lamps.id
        for user, address in (
            (self.user_b, f"/my/purchases/{lamps}/return"),
            (self.user_a1, f"/my/purchases/{lamps}/theft"),
            (self.user_a1, f"/my/purchases/{lamps + 10**6}/return"),
            (self.user_a1, f"/my/purchases/{10**12}/return"),
        ):
            self._login(user)
            with self.subTest(user=user.login, address=address):
                self.assertEqual(self.url_open(address).status_code, 404)

    def test_t12_slip_is_for_who_sees_the_ticket(self):
        ticket = self._ask()
        self._approve(ticket).save().action_return()
        other = self._ask(1, self.phones, lot_id=self.serials[0].id)
        address = f"/my/tickets/{ticket.id}/return/{ticket.return_ids.id}"
        token = ticket.access_token
        for user, url, status in (
            (self.user_a1, address, 200),
            (self.user_a2, address, 200),
            (self.user_b, address, 404),
            (None, address, 404),
            (None, f"{address}?access_token={token}", 200),
            (None, f"{address}?access_token={token[:-1]}", 404),
            (
                self.user_a1,
                f"/my/tickets/{other.id}/return/{ticket.return_ids.id}",
                404,
            ),
            (self.user_a1, f"/my/tickets/{ticket.id}/return/{self.delivery_a.id}", 404),
        ):
            with self.subTest(user=user and user.login, url=url):
                if user:
                    self._login(user)
                else:
                    self.authenticate(None, None)
                answer = self.url_open(url)
                self.assertEqual(answer.status_code, status)
        self._login(self.user_a1)
        label = f"{address}/label"
        self.assertEqual(self.url_open(label).status_code, 404, "none yet")
        ticket.return_ids._set_return_papers("l.pdf", b"%PDF-1.4\n%%EOF\n", "1Z")
        answer = self.url_open(label)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Content-Type"], "application/pdf")
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self._login(self.user_b)
        self.assertEqual(self.url_open(label).status_code, 404)
        ticket.partner_id = self.customer_b
        for user in (self.user_a1, self.user_b):
            self._login(user)
            self.assertEqual(self.url_open(address).status_code, 404)

    def test_tour_request_to_slip(self):
        """As the customer asks, an agent approves, and the slip is there."""
        self.start_tour(
            "/my/tickets", "helpdesk_return_request", login=self.user_a1.login
        )
        ticket = self.env["helpdesk.ticket"].search(
            [("line_ids.state", "=", "asked")], limit=1, order="id desc"
        )
        self.assertEqual(ticket.line_ids.quantity, 2)
        declined = self._ask(1, self.phones, lot_id=self.serials[0].id)
        self.start_tour(
            f"/odoo/helpdesk-tickets/{ticket.id}",
            "helpdesk_return_approve",
            login=self.agent.login,
        )
        self.assertEqual(ticket.line_ids.state, "approved")
        self.start_tour(
            f"/odoo/helpdesk-tickets/{declined.id}",
            "helpdesk_return_decline",
            login=self.agent.login,
        )
        self.assertEqual(declined.line_ids.state, "declined")
        self.start_tour(
            f"/my/tickets/{ticket.id}",
            "helpdesk_return_slip",
            login=self.user_a1.login,
        )
