from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_conversation import HelpdeskConversationCommon

REPORT = "helpdesk_after_sales.report_ticket"


@tagged("post_install", "-at_install")
class TestPrint(HelpdeskConversationCommon):
    """A ticket with its conversation on paper (desk F24)."""

    def _print(self, ticket, user):
        html, _kind = (
            self.env["ir.actions.report"]
            .with_user(user)
            ._render_qweb_html(REPORT, ticket.ids)
        )
        return html.decode()

    def test_f24_ticket_with_its_conversation(self):
        """In the order of time; without notes, and what was said to others"""
        ticket = self._begin(body="<p>It <b>broke</b></p>")
        self._answer(ticket, body="Please send a picture")
        ticket.with_user(self.agent).message_post(body="NOTE of ours")
        self._answer(ticket, body="ASIDE", partner_ids=self.carrier.ids)
        self._answers(
            self._first(ticket),
            "berta@birch.example.com",
            body="<p>Here it is</p><img src='http://evil.example.com/x.png'>",
            files=[("photo.png", b"x", "image/png")],
        )
        page = self._print(ticket, self.agent)
        places = [
            page.index(words)
            for words in (
                f"#{ticket.ticket_ref}"[1:],
                "Berta Birch",
                "broke",
                "Please send a picture",
                "Here it is",
                "photo.png",
            )
        ]
        self.assertEqual(places, sorted(places))
        for word in ("NOTE of ours", "ASIDE", "evil.example.com"):
            self.assertNotIn(word, page)

    def test_f24_only_who_may_read_it(self):
        ticket = self._begin()
        self.team.privacy_visibility = "invited_internal"
        for user in (self.employee, self.other_agent):
            with self.assertRaises(AccessError):
                ticket.with_user(user)._get_printed_ticket()
        report = self.env.ref("helpdesk_after_sales.action_report_ticket")
        self.assertIn(
            self.env.ref("helpdesk_after_sales.group_helpdesk_user"), report.group_ids
        )
