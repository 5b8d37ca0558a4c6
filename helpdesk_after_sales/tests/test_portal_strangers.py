import inspect
import json
import re
from unittest.mock import patch

from lxml import html

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import consteq, mute_logger

from odoo.addons.portal.controllers import portal

from .test_mail_gateway import PIXEL, HelpdeskMailCommon
from .test_portal import CONTENT, HTTP, HelpdeskPortalCommon

EVIL = "<img src=x onerror=\"window.evil='%s'\"><script>window.evil='%s'</script>"


@tagged("post_install", "-at_install")
class TestPortalStrangers(HelpdeskPortalCommon):
    """Strangers get nothing, at any address (T8 to T14)."""

    def _state_of_b(self):
        """Return what nobody but B and the shop may change."""
        self.env.invalidate_all()
        messages = self.ticket_b.message_ids.sudo()
        return [
            self.ticket_b.read()[0],
            messages.read(["body", "author_id", "is_internal", "partner_ids"]),
            messages.reaction_ids.ids,
            messages.attachment_ids.read(["name", "res_model", "res_id", "raw"]),
            self.ticket_b.message_partner_ids.ids,
            self.ticket_b.activity_ids.ids,
        ]

    # -- T8 ------------------------------------------------------------------

    def test_t8_tokens_are_compared_in_constant_time(self):
        with patch.object(portal, "consteq", side_effect=consteq) as compare:
            self._page(self.ticket_b, access_token=self.ticket_a.access_token)
        compare.assert_called_with(
            self.ticket_b.access_token, self.ticket_a.access_token
        )

    # -- T9, T10 -------------------------------------------------------------

    def _addresses(self):
        """Return ``{address: names of parameters}`` of Odoo's JSON routes for threads,
        messages and files: new ones of Odoo are tried by themselves."""
        rules = self.env["ir.http"]._generate_routing_rules(
            ["mail", "portal", "rating", "portal_rating"],
            self.env["ir.http"]._get_converters(),
        )
        result = {}
        for address, endpoint in rules:
            names = inspect.signature(endpoint.original_endpoint).parameters
            if endpoint.routing["type"] == "jsonrpc" and self._keys_of(names):
                result[address] = [*names]
        return result

    def _keys_of(self, names):
        return set(names) & {
            *("thread_id", "res_id", "message_id", "attachment_id", "rating_id"),
            *("follower_id", "message_ids", "attachment_ids"),
        }

    @mute_logger(HTTP, "odoo.addons.base.models.ir_rule")
    def test_t9_t10_no_address_of_odoo_opens_a_foreign_thread(self):
        self.ticket_b.message_subscribe(self.contact_a2.ids)
        follower = self.ticket_b.message_follower_ids[:1].id
        rating = self.env["rating.rating"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "res_id": self.ticket_b.id,
            }
        )
        self.env.cr.flush()
        before = self._state_of_b()
        addresses = self._addresses()
        self.assertGreater(len(addresses), 10)
        values = {
            "thread_model": "helpdesk.ticket",
            "res_model": "helpdesk.ticket",
            "res_id": self.ticket_b.id,
            "thread_id": self.ticket_b.id,
            "attachment_id": self.public_b.attachment_ids.id,
            "attachment_ids": self.public_b.attachment_ids.ids,
            "follower_id": follower,
            "rating_id": rating.id,
            "partner_ids": self.contact_a1.ids,
            "emails": ["x@example.com"],
            "post_data": {"body": "Injected"},
            "update_data": {"body": "Injected", "attachment_ids": []},
            "content": "👍",
            "action": "add",
            "is_internal": False,
            "publisher_comment": "Injected",
            "access_token": self.ticket_a.access_token,
        }
        for user in (self.user_a1, None):
            self.authenticate(user and user.login, user and user.login)
            for address, names in addresses.items():
                for message in (self.public_b, self.note_b):
                    params = {
                        name: value
                        for name, value in {
                            **values,
                            "message_id": message.id,
                            "message_ids": message.ids,
                        }.items()
                        if name in names
                    }
                    with self.subTest(user=user, address=address):
                        answer = json.dumps(self._rpc(address, **params))
                        for secret in ("to B", "on B", "scratched", "Injected"):
                            self.assertNotIn(secret, answer)
                        self.assertEqual(self._state_of_b(), before)

    @mute_logger(HTTP, "odoo.addons.base.models.ir_rule")
    def test_t9_a_foreign_thread_looks_as_one_that_is_missing(self):
        """Not even the number of its messages or followers is told."""
        missing = self.ticket_b.id + 10**6
        self.ticket_b.message_subscribe(self.contact_a2.ids)
        for user in (self.user_a1, None):
            self.authenticate(user and user.login, user and user.login)
            for address in (
                "/mail/chatter_fetch",
                "/portal/chatter_init",
                "/mail/thread/messages",
                "/mail/thread/recipients",
                "/mail/thread/recipients/get_suggested_recipients",
            ):
                answers = []
                for number in (self.ticket_b.id, missing):
                    answer = self._rpc(
                        address, thread_model="helpdesk.ticket", thread_id=number
                    )
                    answers.append(
                        re.sub(
                            rf"\b{number}\b", "#", json.dumps(answer, sort_keys=True)
                        )
                    )
                with self.subTest(user=user, address=address):
                    self.assertEqual(*answers)

    def test_t10_pictures_of_a_foreign_ticket_are_those_of_a_missing_one(self):
        file = self.env["ir.attachment"].create(
            {
                "name": "photo.png",
                "raw": PIXEL,
                "res_model": "helpdesk.ticket",
                "res_id": self.ticket_b.id,
            }
        )
        for user in (self.user_a1, None):
            self.authenticate(user and user.login, user and user.login)
            for url, number in (
                ("/web/image/helpdesk.ticket/%s/description", self.ticket_b.id),
                ("/web/image/helpdesk.ticket/%s/rating_last_image", self.ticket_b.id),
                ("/web/image/%s", file.id),
                ("/web/image/%s/50x50", file.id),
                ("/web/content/%s?download=1", file.id),
                (f"/web/image/ir.attachment/%s/{CONTENT}", file.id),
                (
                    "/mail/avatar/mail.message/%s/author_avatar/50x50",
                    self.public_b.id,
                ),
            ):
                with self.subTest(user=user, url=url):
                    answer = self._get(url % number)
                    other = self._get(url % (number + 10**6))
                    self.assertEqual(answer.status_code, other.status_code)
                    if answer.status_code == 200:
                        self.assertEqual(answer.content, other.content)
                    self.assertNotEqual(answer.content, PIXEL)
            # Odoo's own answer to a missing message is an error here.
            url = f"/mail/avatar/mail.message/{self.public_b.id}/author_avatar/50x50"
            answer = self._get(url, access_token=self.ticket_a.access_token)
            self.assertEqual(answer.content, self._get(url).content, "a placeholder")

    # -- T11 -----------------------------------------------------------------

    @mute_logger(HTTP, "odoo.addons.base.models.ir_rule")
    def test_t11_files_of_others_do_not_move_by_editing(self):
        self._login(self.user_a1)
        thread = {"thread_model": "helpdesk.ticket", "thread_id": self.ticket_a.id}
        content = {
            "body": "Mine",
            "message_type": "comment",
            "subtype_xmlid": "mail.mt_comment",
        }
        posted = self._rpc("/mail/message/post", **thread, post_data=content)
        before = self._state_of_b()
        files = (self.public_b | self.note_b).attachment_ids
        for tokens in ({}, {"attachment_tokens": ["x"] * len(files)}):
            self._rpc(
                "/mail/message/update_content",
                message_id=posted["message_id"],
                update_data={"body": "Mine", "attachment_ids": files.ids} | tokens,
            )
        self.assertEqual(self._state_of_b(), before)
        message = self.env["mail.message"].browse(posted["message_id"])
        self.assertFalse(message.attachment_ids & files)

    # -- T14, others than customers ------------------------------------------

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_t14_oracles(self):
        """Neither order, nor group, nor a path of names tells what is hidden."""
        self._login(self.user_a1)
        tickets = "helpdesk.ticket"
        for method, args, kwargs in (
            ("search", [[("rating_last_value", ">", 0)]], {}),
            ("search", [[("rating_ids.feedback", "like", "a")]], {}),
            ("search", [[("is_automatic_mail", "=", True)]], {}),
            ("search", [[("acknowledge_date", "!=", False)]], {}),
            ("search", [[("message_follower_ids.partner_id.name", "=", "x")]], {}),
            ("search", [[("message_ids.body", "like", "Secret")]], {}),
            ("search", [[("activity_ids.summary", "like", "a")]], {}),
            ("search", [[("properties", "!=", False)]], {}),
            ("search", [[("website_message_ids.body", "like", "Secret")]], {}),
            ("search", [[("message_ids.author_id.user_ids.login", "like", "a")]], {}),
            ("search", [[("message_ids.tracking_value_ids", "!=", False)]], {}),
            ("search", [[("message_ids.attachment_ids.name", "like", "Secret")]], {}),
            ("search", [[]], {"order": "color"}),
            ("search", [[]], {"order": "user_id"}),
            ("formatted_read_group", [[], ["kanban_state"]], {}),
            ("formatted_read_group", [[], [], ["color:sum"]], {}),
            ("web_read_group", [[], ["user_id"]], {}),
            (
                "read_progress_bar",
                [[], "stage_id", {"field": "color", "colors": {}}],
                {},
            ),
            ("export_data", [self.ticket_a.ids, ["user_id/login"]], {}),
            ("web_read", [self.ticket_a.ids, {"user_id": {"fields": {}}}], {}),
        ):
            with self.subTest(method=method, args=args):
                answer = self._call(tickets, method, *args, **kwargs)
                text = json.dumps(answer)
                self.assertNotIn("Secret", text)
                self.assertNotIn(self.agent.login, text)
                self.assertTrue(
                    isinstance(answer, str) or answer in ([], {}, {CONTENT: []}), text
                )

    def test_internal_users_and_visitors_are_strangers_too(self):
        """A colleague without Helpdesk sees a ticket as the customer that they are: by
        the link that they got."""
        own = self._ticket(self.employee.partner_id, name="Own of the employee")
        self.env.cr.flush()
        for user in (self.employee, self.seller, self.stock_user):
            self._login(user)
            for ticket in (self.ticket_a, self.ticket_b, own):
                self.assertEqual(self._page(ticket).status_code, 404)
            page = self._page(own, access_token=own.access_token)
            self.assertEqual(page.status_code, 200)
            self.assertNotIn("scratched", self._get("/my/tickets").text)
            counters = self._rpc("/my/counters", counters=["ticket_count"])
            self.assertFalse(counters.get("ticket_count"))
            answer = self._call("helpdesk.ticket", "search_count", [])
            self.assertIsInstance(answer, str)
        public = self.env.ref("base.public_user")
        for method in ("portal_details", "portal_messages", "portal_close"):
            with self.assertRaises(AccessError):
                getattr(self.ticket_b.with_user(public), method)()

    # -- Merged contacts -----------------------------------------------------

    def _merge(self, source, target):
        self.env.flush_all()
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (source | target).ids, target
        )
        self.env.flush_all()
        self.env.invalidate_all()

    def _sees(self, user):
        return self.env["helpdesk.ticket"].with_user(user).search([])

    def test_merged_contacts_see_exactly_the_merged_tickets(self):
        twin = self.env["res.partner"].create(
            {"name": "Berta again", "email": "berta2@birch.example.com"}
        )
        of_twin = self._ticket(twin)
        other = self._ticket(self.customer_a)
        self._merge(twin, self.customer_b)
        self.assertEqual(of_twin.partner_id, self.customer_b)
        self.assertEqual(self._sees(self.user_b), self.ticket_b | of_twin)
        self.assertEqual(self._sees(self.user_a1), self.ticket_a | other)

    def test_contact_is_merged_into_one_of_another_company(self):
        """The former company was the customer, and isn't any more."""
        company = self.env["res.partner"].create({"name": "Cedar", "is_company": True})
        self.customer_b.parent_id = company
        contact = self.contact_a1.copy({"name": "Left the company"})
        ticket = self._ticket(contact)
        ticket.message_subscribe(self.contact_a2.ids)
        token = ticket.access_token
        self.assertIn(ticket, self._sees(self.user_a2))
        self._merge(contact, self.customer_b)
        self.assertEqual(ticket.partner_id, self.customer_b)
        self.assertEqual(ticket.commercial_partner_id, company)
        self.assertEqual(self._sees(self.user_a2), self.ticket_a)
        self.assertEqual(self._sees(self.user_b), self.ticket_b | ticket)
        self.assertNotIn(self.contact_a2, ticket.message_partner_ids)
        self.assertNotEqual(ticket.access_token, token)

    def test_person_is_merged_into_a_contact_of_a_company(self):
        person = self.env["res.partner"].create({"name": "Bought as a person"})
        ticket = self._ticket(person)
        token = ticket.access_token
        self._merge(person, self.contact_a1)
        self.assertEqual(ticket.commercial_partner_id, self.customer_a)
        for user in (self.user_a1, self.user_a2):
            self.assertEqual(self._sees(user), self.ticket_a | ticket)
        self.assertEqual(ticket.access_token, token, "it's the same person")


@tagged("post_install", "-at_install")
class TestPortalMail(HelpdeskMailCommon):
    def test_t13_mails_to_customers_hold_no_internal_words(self):
        ticket = self._ticket(self.customer_b).with_user(self.agent)
        ticket.message_subscribe(self.customer_b.ids)
        with self.mock_mail_gateway():
            ticket.message_post(
                body="Secret note",
                subtype_xmlid="mail.mt_note",
                attachments=[("secret.txt", b"Secret file")],
            )
            ticket.write({"kanban_state": "blocked", "priority": "3"})
            ticket.user_id = self.agent
            ticket.activity_schedule(
                "mail.mail_activity_data_todo",
                summary="Secret task",
                user_id=self.agent.id,
            )
            ticket.stage_id = self.team.stage_ids[1]
            self.env.cr.flush()
            ticket.message_post(
                body="Public answer",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=self.customer_b.ids,
            )
            self.env.cr.flush()
        mails = self._sent_to(self.customer_b.email)
        self.assertTrue(mails)
        for mail in mails:
            text = str(mail["EmailMessage"])
            for word in ("Secret", "secret.txt", "Blocked", "Urgent"):
                self.assertNotIn(word, text)


@tagged("post_install", "-at_install")
class TestHostileContent(HelpdeskPortalCommon):
    """T25: what people write is text, wherever it shows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()

        def evil(where):
            return EVIL % (where, where)

        cls.customer_b.name = evil("partner")
        cls.team.name = evil("team")
        cls.team.stage_ids[0].name = evil("stage")
        cls.ticket_b.write(
            {
                "name": evil("subject"),
                "description": "<p>It fell</p>" + evil("description"),
                "tag_ids": [Command.create({"name": evil("tag")})],
                "partner_name": evil("partner"),
            }
        )
        cls.message = cls.ticket_b.with_user(cls.agent).message_post(
            body=evil("message"),
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[
                (evil("file") + ".svg", b"<svg onload='window.evil=1'/>"),
                ("page.html", b"<script>window.evil=1</script>"),
            ],
        )
        cls.env.cr.flush()

    def _assert_inert(self, text):
        tree = html.fromstring(text)
        for script in tree.xpath("//script"):
            self.assertNotIn("window.evil=", script.text or "")
        self.assertFalse(
            [
                value
                for value in tree.xpath("//@*[starts-with(name(), 'on')]")
                if "evil" in value
            ]
        )

    def test_t25_in_the_portal(self):
        self._login(self.user_b)
        for url in (
            "/my/tickets",
            "/my/tickets?groupby=stage_id",
            "/my/tickets?groupby=team_id",
            "/my/tickets?groupby=partner_id",
            "/my/tickets?search=%3Cscript%3Ewindow.evil%3D1%3C/script%3E",
            f"/my/tickets/{self.ticket_b.id}",
        ):
            with self.subTest(url=url):
                answer = self._get(url)
                self.assertEqual(answer.status_code, 200)
                self._assert_inert(answer.text)
        self.assertIn("window.evil=&#39;subject&#39;", self._page(self.ticket_b).text)

    def test_t25_files_are_downloaded_or_text(self):
        self._login(self.user_b)
        thread = {"thread_model": "helpdesk.ticket", "thread_id": self.ticket_b.id}
        messages = self._rpc("/mail/chatter_fetch", **thread)["data"]["mail.message"]
        [files] = [m["attachment_ids"] for m in messages if m["id"] == self.message.id]
        self.assertEqual(len(files), 2)
        for file in files:
            answer = self._get(
                f"/web/content/{file['id']}", access_token=file["raw_access_token"]
            )
            self.assertEqual(answer.status_code, 200)
            self.assertTrue(
                answer.headers["Content-Type"].startswith("text/plain")
                or answer.headers["Content-Disposition"].startswith("attachment")
                or "default-src 'none'" in answer.headers["Content-Security-Policy"],
                answer.headers,
            )
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_t25_in_the_web_client(self):
        wait = """
            const wait = async () => {
                for (let turn = 0; turn < 100; turn++) {
                    if (document.body.innerText.includes("window.evil='%s'")) {
                        await new Promise((done) => setTimeout(done, 500));
                        if (window.evil) {
                            throw new Error("ran: " + window.evil);
                        }
                        console.log("test successful");
                        return;
                    }
                    await new Promise((done) => setTimeout(done, 100));
                }
                throw new Error("not shown: " + document.body.innerText.slice(0, 500));
            };
            wait();
        """
        for url, word in (
            ("/odoo/helpdesk-tickets?view_type=kanban", "subject"),
            ("/odoo/helpdesk-tickets?view_type=list", "subject"),
            (f"/odoo/helpdesk-tickets/{self.ticket_b.id}", "message"),
            ("/odoo/helpdesk", "team"),
        ):
            with self.subTest(url=url):
                self.browser_js(url, wait % word, login=self.agent.login)
        # And what a search proposes.
        suggested = self._suggestions()
        self.assertTrue(any(re.search("window.evil", name) for name in suggested))

    def _suggestions(self):
        """Return the texts of a search, which the web client shows as text."""
        found = self.env["helpdesk.ticket"].with_user(self.agent).name_search("evil")
        return [name for _number, name in found]
