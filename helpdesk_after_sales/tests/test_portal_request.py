import re
from base64 import b64decode, b64encode

from odoo.exceptions import AccessError, MissingError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_portal import HelpdeskPortalCommon

PHOTO = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestPortalRequest(HelpdeskPortalCommon):
    """New tickets by customers and visitors, and the timeline (issue 9; X7)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_a = cls._sell(cls.contact_a1, (cls.lamp, 3))
        cls.order_b = cls._sell(cls.customer_b, (cls.desk, 1))

    def _tickets(self, user):
        return self.env["helpdesk.ticket"].with_user(user)

    def _send(self, url, photo=None, csrf=True, **data):
        """Send a form as a browser does; returns the answer."""
        if csrf:
            data["csrf_token"] = self._csrf()
        files = photo and [("photos", photo)]
        return self.url_open(url, data=data, files=files, allow_redirects=False)

    def _key(self, text):
        return re.search(r'name="key" value="(\w+)"', text)[1]

    def _newest(self):
        return self.env["helpdesk.ticket"].search([], order="id desc", limit=1)

    # -- New ticket ----------------------------------------------------------

    def test_new_ticket_with_photo_and_product(self):
        self._login(self.user_a1)
        form = self._get("/my/tickets/new")
        self.assertEqual(form.status_code, 200)
        self.assertIn(self.order_a.name, form.text)
        self.assertNotIn(self.order_b.name, form.text)
        data = {
            "name": "Lamp  flickers <b>",
            "description": "First line\n<script>alert(1)</script>",
            "team_id": self.team.id,
            "line_id": self.order_a.order_line.id,
            "key": self._key(form.text),
        }
        photo = ("lamp.png", b64decode(PHOTO), "image/png")
        answer = self._send("/my/tickets/new", photo, **data)
        ticket = self._newest()
        self.assertIn(f"/my/tickets/{ticket.id}", answer.headers["Location"])
        self.assertRecordValues(
            ticket,
            [
                {
                    "name": "Lamp flickers <b>",
                    "team_id": self.team.id,
                    "partner_id": self.contact_a1.id,
                    "sale_order_id": self.order_a.id,
                    "product_id": self.lamp.id,
                    "request_line_id": False,
                }
            ],
        )
        self.assertNotIn("<script>", ticket.description)
        self.assertEqual(ticket.message_ids.attachment_ids.name, "lamp.png")
        page = self.url_open(answer.headers["Location"])
        self.assertIn("we have received your request", page.text)
        # The same form again: a second click, or the back button (T2, T15).
        again = self._send("/my/tickets/new", photo, **data)
        self.assertEqual(again.headers["Location"], answer.headers["Location"])
        self.assertEqual(self._newest(), ticket)

    def test_new_ticket_is_refused_in_a_sentence_and_keeps_what_was_typed(self):
        self._login(self.user_a1)
        before = self._newest()
        for sentence, data in (
            ("Enter a subject", {"name": "  ", "description": "Typed text"}),
            ("offered teams", {"name": "x", "team_id": 10**8}),
            (
                "no such order line",
                {"name": "x", "line_id": self.order_b.order_line.id},
            ),
            ("no such order line", {"name": "x", "line_id": 10**8}),
        ):
            with self.subTest(data=data):
                answer = self._send("/my/tickets/new", **data)
                self.assertEqual(answer.status_code, 200)
                self.assertIn(sentence, answer.text)
                self.assertIn(data.get("description", ""), answer.text)
        page = self._send(
            "/my/tickets/new", ("a.svg", b"<svg/>", "image/png"), name="Photo"
        )
        self.assertIn("Photos are JPEG", page.text)
        self.assertEqual(self._newest(), before)

    @mute_logger("odoo.http")
    def test_t15_new_ticket_needs_a_form(self):
        self._login(self.user_a1)
        before = self._newest()
        self._get("/my/tickets/new", name="By address", csrf_token=self._csrf())
        answer = self._send("/my/tickets/new", csrf=False, name="No token")
        self.assertEqual(answer.status_code, 400)
        answer = self._send("/my/tickets/new", csrf=False, csrf_token="x", name="Bad")
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(self._newest(), before)

    def test_new_ticket_is_limited(self):
        self.env["ir.config_parameter"].set_param(
            "helpdesk_after_sales.tickets_per_customer", 2
        )
        tickets = self._tickets(self.user_a1)
        for number in range(2):
            tickets.portal_create(f"Number {number}")
        with self.assertRaisesRegex(UserError, "in an hour"):
            tickets.portal_create("Number 3")
        self._tickets(self.user_b).portal_create("Of somebody else")

    def test_t14_api_needs_a_customer(self):
        public = self._tickets(self.env.ref("base.public_user"))
        for call in (
            lambda: public.portal_create("x"),
            public.portal_purchases,
            lambda: public.portal_request("use_product_returns", 1, 1),
            public.browse(self.ticket_a.id).portal_close,
            public.browse(self.ticket_a.id).portal_timeline,
        ):
            with self.assertRaises(AccessError):
                call()

    def test_t14_api_takes_own_lines_only(self):
        tickets = self._tickets(self.user_a1)
        orders = {row["order"] for row in tickets.portal_purchases()}
        self.assertEqual(orders, {self.order_a.name})
        for line in (self.order_b.order_line.id, 10**8, -1, 2**40, "1", None, [1]):
            with self.subTest(line=line), self.assertRaises(MissingError):
                tickets.portal_request("use_product_returns", line, 1)

    def test_api_refuses_photos_that_are_none(self):
        tickets = self._tickets(self.user_a1)
        script = b64encode(b"<script>alert(1)</script>").decode()
        for photos in (
            [("a.png", "no base64!")],
            [("a.png", script)],
            [(1, PHOTO)],
            [("a.png",)],
            [("a.png", PHOTO)] * 11,
            "a.png",
        ):
            with self.subTest(photos=photos), self.assertRaises(UserError):
                tickets.portal_create("Photos", photos=photos)

    def test_t27_what_can_not_be_stored_is_left_out(self):
        tickets = self._tickets(self.user_a1)
        text = "a\0b\ud800 \u202egpj.exe"
        ticket = self._newest().browse(
            tickets.portal_create(text, text, photos=[(text, PHOTO)], key=text)
        )
        self.assertEqual(ticket.name, "ab? \u202egpj.exe")
        self.assertEqual(ticket.id, tickets.portal_create(text, key=text))

    @mute_logger("odoo.http")
    def test_t14_nonsense_is_refused_in_a_sentence(self):
        self._login(self.user_a1)
        for nonsense in ({}, [], [[]], "x", "\0", -1, 1.5, True, 10**30, None):
            for method, args in (
                ("portal_request", [nonsense, nonsense, nonsense]),
                ("portal_request", ["x", self.order_a.order_line.id, nonsense]),
                ("portal_create", [nonsense, nonsense, nonsense, nonsense, nonsense]),
                ("portal_create", ["Subject", "", nonsense]),
                ("portal_create", ["Subject", "", None, nonsense]),
                ("portal_purchases", [nonsense, nonsense]),
            ):
                with self.subTest(method=method, args=args):
                    answer = self._call("helpdesk.ticket", method, *args)
                    if isinstance(answer, str):
                        self.assertIn("odoo.exceptions", answer)

    def test_t14_fields_of_requests_are_for_employees(self):
        self._login(self.user_a1)
        for field in ("request_line_id", "request_key", "line_ids"):
            answer = self._call("helpdesk.ticket", "read", self.ticket_a.ids, [field])
            self.assertNotIsInstance(answer, list, field)
        lines = self._call("helpdesk.ticket.line", "search_read", [], ["id"])
        self.assertNotIsInstance(lines, list)

    # -- Closing -------------------------------------------------------------

    def test_api_close_and_reopen(self):
        ticket = self.ticket_a.with_user(self.user_a1)
        self.assertTrue(ticket.portal_close())
        self.assertTrue(self.ticket_a.close_date)
        with self.assertRaises(UserError):
            ticket.portal_close()
        self.assertTrue(ticket.portal_reopen())
        self.assertFalse(self.ticket_a.close_date)
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.user_b).portal_close()
        # An agent reads the ticket, but isn't its customer.
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.agent).portal_close()

    # -- Visitors ------------------------------------------------------------

    def _open_form(self, team=None):
        return self._get(f"/helpdesk/{(team or self.team).id}")

    def _send_public(self, team=None, photo=None, **data):
        values = {
            "name": "Question",
            "partner_name": "Vera Visitor",
            "partner_email": "vera@visitor.example.com",
            "description": "Hello",
        } | data
        return self._send(f"/helpdesk/{(team or self.team).id}", photo, **values)

    def test_public_form_only_where_the_team_wants_it(self):
        self.authenticate(None, None)
        before = self._newest()
        self.assertEqual(self._open_form().status_code, 404)
        self.assertEqual(self._send_public().status_code, 404)
        self.team.allow_public_form = True
        self.assertEqual(self._open_form().status_code, 200)
        self.team.privacy_visibility = "internal"
        self.assertEqual(self._open_form().status_code, 404)
        self.assertEqual(self._newest(), before)

    def test_public_form_makes_a_ticket_without_a_contact(self):
        """T22: nobody has proved that the address is theirs."""
        self.team.allow_public_form = True
        self.authenticate(None, None)
        text = self._open_form().text
        photo = ("lamp.png", b64decode(PHOTO), "image/png")
        answer = self._send_public(
            photo=photo,
            partner_email=self.contact_a1.email,
            key=self._key(text),
            partner_id=self.contact_a1.id,
            stage_id=1,
        )
        self.assertIn("status=sent", answer.headers["Location"])
        ticket = self._newest()
        self.assertRecordValues(
            ticket,
            [
                {
                    "partner_id": False,
                    "partner_name": "Vera Visitor",
                    "partner_email": self.contact_a1.email,
                    "team_id": self.team.id,
                }
            ],
        )
        self.assertEqual(ticket.message_ids.attachment_ids.name, "lamp.png")
        self.assertNotIn("access_token", answer.headers["Location"])
        # sent twice: one ticket
        self._send_public(key=self._key(text))
        self.assertEqual(self._newest(), ticket)

    def test_public_form_sends_logged_in_customers_to_their_own(self):
        self.team.allow_public_form = True
        self._login(self.user_a1)
        answer = self._open_form()
        self.assertIn("/my/tickets/new", answer.headers["Location"])

    def test_t23_public_form_is_limited(self):
        self.team.allow_public_form = True
        self.authenticate(None, None)
        self._open_form()
        for number in range(5):
            answer = self._send_public(partner_email=f"v{number}@example.com")
            self.assertIn("status=sent", answer.headers["Location"])
        answer = self._send_public(partner_email="v6@example.com")
        self.assertIn("many requests", answer.text)  # of one session
        for number in range(5, 10):
            self.authenticate(None, None)  # another session
            self._send_public(partner_email=f"v{number}@example.com")
        self.authenticate(None, None)
        answer = self._send_public(partner_email="v10@example.com")
        self.assertIn("in an hour", answer.text)  # of one network address
        self.assertEqual(self._newest().partner_email, "v9@example.com")

    def test_t23_visitors_of_one_mail_address_are_limited(self):
        tickets = self._tickets(self.env.ref("base.public_user"))
        values = {"name": "x", "partner_email": "vera@visitor.example.com"}
        team = self.team.sudo()
        for number in range(5):
            tickets._create_visitor_ticket(team, values, (), None, f"origin {number}")
        with self.assertRaisesRegex(UserError, "in an hour"):
            tickets._create_visitor_ticket(team, values, (), None, "origin 6")

    def test_public_form_refuses_in_a_sentence(self):
        self.team.allow_public_form = True
        self.authenticate(None, None)
        before = self._newest()
        for sentence, data in (
            ("Enter a subject", {"name": " "}),
            ("Enter your email", {"partner_email": "nobody"}),
        ):
            self.assertIn(sentence, self._send_public(**data).text)
        self.assertEqual(self._newest(), before)

    # -- Timeline (X7) -------------------------------------------------------

    def test_x7_timeline_of_the_ticket_itself(self):
        self.team.answer_hours = 8
        ticket = self.ticket_b.with_user(self.user_b)
        (received,) = (
            self._ticket(self.customer_b).with_user(self.user_b).portal_timeline()
        )
        self.assertEqual(received["title"], "Request received")
        self.assertIn("Answer by", received["promised"])
        self.assertFalse(ticket.portal_timeline()[0]["promised"], "it was answered")
        ticket.portal_close()
        self.assertEqual(
            [act["title"] for act in ticket.portal_timeline()],
            ["Request received", "Ticket closed"],
        )
        self._login(self.user_b)
        self.assertIn("Ticket closed", self._page(self.ticket_b).text)
        with self.assertRaises(AccessError):
            self.ticket_b.with_user(self.user_a1).portal_timeline()

    def test_x7_agents_see_the_timeline_in_the_form(self):
        ticket = self.ticket_a.with_user(self.agent)
        self.assertIn(self.ticket_a.ticket_ref, ticket.get_timeline())
        stranger = new_test_user(
            self.env, "timeline_employee", groups="base.group_user"
        )
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(stranger).get_timeline()
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.user_a1).get_timeline()

    def test_tour_new_ticket_with_photo(self):
        self.start_tour(
            "/my/tickets", "helpdesk_portal_new_ticket", login=self.user_a1.login
        )
        ticket = self._newest()
        self.assertEqual(ticket.product_id, self.lamp)
        self.assertEqual(ticket.message_ids.attachment_ids.name, "hum.png")
