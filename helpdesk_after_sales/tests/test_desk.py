from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL

from .test_conversation import NOTE, HelpdeskConversationCommon

REPORT = "helpdesk_after_sales.report_ticket"
WORDS = "conversation_words"


@tagged("post_install", "-at_install")
class TestDesk(HelpdeskConversationCommon):
    """Tickets found, many at once, in a file and on paper (desk F14, F24)."""

    def _print(self, ticket, user):
        html, _kind = (
            self.env["ir.actions.report"]
            .with_user(user)
            ._render_qweb_html(REPORT, ticket.ids)
        )
        return html.decode()

    def test_f24_ticket_with_its_conversation(self):
        """desk F24: in the order of time; without notes, and what was said to others"""
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

    def test_search_finds_customers_and_strangers(self):
        """desk F14: what is typed into the first field, and Enter"""
        stranger = self._begin("Uwe Unbekannt <uwe@un.example.com>", subject="Stuhl")
        known = self._begin("contact1@alder.example.com", subject="Lamp 4711")
        phoned = self._ticket(self.customer_a)
        moved = self._begin("private@birch.example.com")
        moved.partner_id = self.customer_b
        all_of_them = stranger | known | phoned | moved
        view = self.env.ref("helpdesk_after_sales.helpdesk_ticket_view_search")
        first = etree.fromstring(view.arch).find("field").get("name")
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        for text, found in (
            ("Unbekannt", stranger),
            ("uwe@un.example.com", stranger),
            ("Stuhl", stranger),
            (f"#{stranger.ticket_ref}", stranger),
            ("Contact 1 of Alder", known),
            ("Alder & Sons", known | phoned),
            ("4711", known),
            # As it is written, from within the country and from abroad.
            ("+32 2 290 34 90", phoned),
            ("02/290.34.90", phoned),
            ("0032 2 2903490", phoned),
            ("office@alder", phoned),
            # Also of a ticket that came from another address.
            ("berta@birch.example.com", moved),
            ("private@birch.example.com", moved),
            ("290 34 91", tickets),
        ):
            got = tickets.search([(first, "ilike", text)]) & all_of_them
            self.assertEqual(got, found.with_user(self.agent), text)
        plan = self._explain(first, "290 34 90")
        self._check_index("helpdesk_ticket_partner_phone_idx", plan)

    def test_words_of_the_conversation_are_found(self):
        """issue 18 C: in what was written and noted, by parts of numbers, too"""
        ticket = self._begin(
            "Uwe Unbekannt <uwe@un.example.com>",
            body="<p>The hinge <b>SN-0815</b> squeaks</p>",
        )
        other = self._ticket(description="<p>Nothing squeaks here, it wobbles</p>")
        note = {"body": "Hinges are sold out", "subtype_xmlid": NOTE}
        ticket.with_user(self.agent).message_post(**note)
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        view = self.env.ref("helpdesk_after_sales.helpdesk_ticket_view_search")
        offered = etree.fromstring(view.arch).findall("field")
        self.assertIn(WORDS, [field.get("name") for field in offered])
        for text, found in (
            ("hinge squeak", ticket),
            ("squeak", ticket | other),
            ("SOLD", ticket),
            ("0815", ticket),
            ("sn-0815", ticket),
            ("sold squeak", tickets),  # not said at once
            ("queak", tickets),
            ("strong", tickets),  # a tag
            ("' | !", tickets),
        ):
            got = tickets.search([(WORDS, "ilike", text)]) & (ticket | other)
            self.assertEqual(got, found.with_user(self.agent), text)
        # Rules decide, and customers have the field no more than the notes.
        self.team.privacy_visibility = "invited_internal"
        stranger = tickets.with_user(self.other_agent)
        self.assertFalse(stranger.search([(WORDS, "ilike", "hinge squeak")]))
        customer = self._new_user("after_sales_guest", "base.group_portal")
        with self.assertRaises(AccessError):
            tickets.with_user(customer).search([(WORDS, "ilike", "sold")])
        page = self.env["helpdesk.ticket"].with_user(customer)
        self.team.privacy_visibility = "portal"
        ticket.partner_id = customer.partner_id
        for text, found in (("hinge squeak", ticket), ("sold", page)):
            domain = page._get_portal_words_domain(text)
            self.assertEqual(page.search(domain), found.with_user(customer))
        plan = self._explain(WORDS, "hinge")
        self._check_index("mail_message_helpdesk_words_idx", plan)
        self._check_index("helpdesk_ticket_description_words_idx", plan)

    def _check_index(self, name, plan):
        """Few rows need no index: it is for what the plan compares, to the letter."""
        self.env.cr.execute("SELECT pg_get_indexdef(%s::regclass)", [name])
        [definition] = self.env.cr.fetchone()
        expression = definition.partition(" gin (")[2].partition(" WHERE")[0]
        self.assertIn(expression.removesuffix(")").removesuffix(" gin_trgm_ops"), plan)

    def _explain(self, field, text):
        """Return how PostgreSQL finds tickets."""
        self.env.flush_all()
        query = self.env["helpdesk.ticket"]._search([(field, "ilike", text)])
        self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
        return "\n".join(line for (line,) in self.env.cr.fetchall())

    def test_f24_agents_export_what_they_see(self):
        """desk F24: columns of tickets, nothing of other records"""
        ticket = self._begin()
        agent = self.agent
        self.assertFalse(agent.has_group("base.group_allow_export"))
        shown = ticket.with_user(agent)
        [[number, customer, stage]] = shown.export_data(
            ["ticket_ref", "partner_id", "stage_id"]
        )["datas"]
        self.assertEqual(
            (number, customer, stage),
            (ticket.ticket_ref, "Berta Birch", ticket.stage_id.name),
        )
        for other in (["partner_id/email"], ["id"], ["name", "message_ids/body"]):
            with self.assertRaises(UserError):
                shown.export_data(other)
        for user in (
            self.employee,
            self._new_user("after_sales_x", "base.group_portal"),
        ):
            with self.assertRaises(UserError):
                ticket.with_user(user).export_data(["name"])
        self.team.privacy_visibility = "invited_internal"
        with self.assertRaises(AccessError):
            ticket.with_user(self.other_agent).export_data(["name"])

    def test_many_tickets_are_closed_at_once(self):
        """desk F24: each in the closed stage of its own team"""
        done = self.env["helpdesk.stage"].create({"name": "Done", "fold": True})
        self.other_team.stage_ids = done
        tickets = self._begin() | self._ticket(team_id=self.other_team.id)
        tickets.stage_id = False
        tickets[0].stage_id = self.team.stage_ids[0]
        self.assertTrue(tickets.with_user(self.agent).action_close())
        self.assertTrue(all(tickets.mapped("close_date")))
        self.assertEqual(tickets[1].stage_id, done)
