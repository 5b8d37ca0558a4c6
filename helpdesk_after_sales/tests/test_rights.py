from base64 import b64encode

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..tools.files import name_file
from ..tools.html import drop_components
from .common import HelpdeskAfterSalesCommon
from .test_mail_gateway import PIXEL as PNG

PDF = b"%PDF-1.4\n<script>"
GIF = b"GIF89a/*<script>"


@tagged("post_install", "-at_install")
class TestRights(HelpdeskAfterSalesCommon):
    """What colleagues and customers get by methods that are documented (issue 14)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._new_user(
            "rights_portal", "base.group_portal", partner_id=cls.contact_a1.id
        )
        cls.agent = cls._new_user(
            "rights_agent", "helpdesk_after_sales.group_helpdesk_user"
        )
        cls.ticket = cls._ticket(cls.contact_a1)
        cls.own = cls.ticket.with_user(cls.customer)

    # -- Ratings (hole 9) ----------------------------------------------------

    def _rating(self):
        return self.env["rating.rating"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "res_id": self.ticket.id,
                "partner_id": self.contact_a1.id,
            }
        )

    def test_hole_9_agents_read_no_link_of_customers(self):
        rating = self._rating().with_user(self.agent)
        self.assertTrue(rating.read(["rating"]))
        with self.assertRaises(AccessError):
            rating.read(["access_token"])
        self.assertNotIn("access_token", rating.read()[0])

    def test_hole_9_no_rating_becomes_one_of_a_ticket(self):
        employee = self._new_user("rights_employee", "base.group_user")
        partner = employee.partner_id
        ratings = self.env["rating.rating"].with_user(employee)
        forged = ratings.create(
            {
                "res_model_id": self.env["ir.model"].sudo()._get_id("res.partner"),
                "res_id": partner.id,
                "rating": 1,
                "consumed": True,
            }
        )
        with self.assertRaises(AccessError), self.cr.savepoint():
            forged.write({"res_model": "helpdesk.ticket", "res_id": self.ticket.id})
        self.assertFalse(self.ticket.rating_count)

    # -- Links (hole 11) -----------------------------------------------------

    def test_hole_11_links_are_for_the_customer(self):
        self.ticket.with_user(self.customer).message_post(
            body="See", attachments=[("broken.png", PNG)]
        )
        for user, own in ((self.customer, True), (self.agent, False)):
            ticket = self.ticket.with_user(user)
            [message] = ticket.portal_messages(limit=1)
            [file] = message["attachments"]
            self.assertEqual("access_token=" in file["url"], own)
            ticket.portal_details()
            for act in ticket.portal_timeline():
                self.assertIn("url", act)
                self.assertTrue(own or not act["url"])

    # -- Files (hole 13) -----------------------------------------------------

    def test_hole_13_files_are_named_by_what_they_are(self):
        for name, content, kept in (
            ("x.pdf.exe", PDF, "x_pdf.pdf"),
            ("x.html", GIF, "x.gif"),
            ("../../x.html", GIF, "x.gif"),
            ("photo.hta", PNG, "photo.png"),
            ("photo.JPG", b"\xff\xd8\xff\xe0" + b"\0" * 20, "photo.jpg"),
            ("run.bat", b"del *.*", "run.bat.txt"),
            ("Rechnung Nr. 5.docx", b"x", "Rechnung Nr. 5.docx"),
            ("ประเทศไทย.txt", b"x", "ประเทศไทย.txt"),
            ("\0", PNG, "file.png"),
        ):
            self.assertEqual(name_file(name, content), kept)

    def test_hole_13_uploads_of_customers(self):
        photos = [("photo.pdf.exe", b64encode(PDF).decode())]
        [(name, _content)] = self.env["helpdesk.ticket"]._check_photos(photos)
        self.assertEqual(name, "photo_pdf.pdf")
        message = self.own.message_post(body="x", attachments=[("a.html", GIF)])
        self.assertEqual(message.sudo().attachment_ids.name, "a.gif")

    def test_components_of_the_editor_are_dropped(self):
        body = '<p data-embedded="file" class="a">Hi <b DATA-EMBEDDED-props="{}">x</b>'
        clean = str(drop_components(body))
        self.assertNotIn("embedded", clean.lower())
        self.assertIn('class="a"', clean)
        self.assertEqual(drop_components("<p>Hi</p>"), "<p>Hi</p>")

    # -- Traces --------------------------------------------------------------

    def test_wrong_types_get_a_sentence(self):
        """Whatever a client sends: a sentence or an answer, never a trace."""
        for call in (
            lambda: self.own.portal_messages(limit="x"),
            lambda: self.own.portal_messages(limit=None),
            lambda: self.own.portal_messages(limit=[]),
            lambda: self.own.portal_messages(before_id="x"),
            lambda: self.own.portal_messages(before_id=10**30),
            lambda: self.own.message_post(body="x", attachments=[5]),
            lambda: self.own.message_post(
                body="x", attachments=[["x", "y", {"encoding": "rot13"}]]
            ),
            lambda: self.own.message_post(body="x", attachment_ids=["x"]),
            lambda: self.own.message_post(body="x", attachment_ids=5),
            lambda: self.own.message_post(body="x", parent_id="x"),
            lambda: self.own.message_post(body=["x"]),
            lambda: self.own.browse().portal_details(),
            lambda: self.own.browse().portal_messages(),
            lambda: self.own.browse().portal_timeline(),
            lambda: (self.own + self._ticket().with_user(self.customer)).portal_close(),
            lambda: self.own.browse().portal_reopen(),
            lambda: self.ticket.with_user(self.agent).get_purchases(limit="x"),
            lambda: self.ticket.with_user(self.agent).get_purchases(limit=-1),
            lambda: self.ticket.with_user(self.agent).get_purchases(offset=None),
            lambda: (
                self.env["helpdesk.after.sales.purchase"]
                .with_user(self.agent)
                .action_create_helpdesk_ticket()
            ),
            lambda: (
                self.env["helpdesk.after.sales.document"]
                .with_user(self.agent)
                .action_view_helpdesk_ticket()
            ),
        ):
            try:
                with self.cr.savepoint():
                    call()
            except UserError as refusal:
                self.assertTrue(str(refusal))

    def test_threads_of_strange_ids(self):
        """The public opens threads by a token, of whatever type."""
        public = self.env.ref("base.public_user")
        tickets = self.env["helpdesk.ticket"].with_user(public)
        for token in (5, ["x"], {"a": 1}, "é", self.ticket.access_token[:-1], None):
            found = tickets._get_thread_with_access(self.ticket.id, token=token)
            self.assertFalse(found, token)
        for strange in ("x", None, 10**30, [1]):
            self.assertFalse(tickets._get_thread_with_access(strange, token="x"))

    # -- Visitors ------------------------------------------------------------

    def test_one_network_closes_the_form_for_nobody_else(self):
        """Many addresses of one network; others still get through (T23)."""
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("helpdesk_after_sales.tickets_of_visitors", 2)
        tickets = self.env["helpdesk.ticket"]

        def send(number, origin):
            return tickets._create_visitor_ticket(
                self.team,
                {"name": "Hi", "partner_email": f"v{number}@visitor.example.com"},
                [],
                None,
                origin,
            )

        send(1, "near a")
        send(2, "near b")
        with self.assertRaises(UserError):
            send(3, "near c")
        self.assertTrue(send(4, "far d"))
