import json
from base64 import b64decode

from lxml.html import fromstring
from markupsafe import Markup

from odoo import models
from odoo.http import Request
from odoo.tests import HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import HelpdeskAfterSalesCommon

HTTP = "odoo.http"
CONTENT = "datas"  # codespell:ignore datas
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


class HelpdeskPortalCommon(HelpdeskAfterSalesCommon, HttpCase):
    """Portal users of two customers, and a ticket of each with what is hidden in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.allow_portal_ticket_closing = True
        cls.user_a1, cls.user_a2, cls.user_b = (
            cls._new_user(
                f"after_sales_portal_{name}",
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
        cls.ticket_a = cls._ticket(cls.contact_a1, name="A: lamp broken")
        cls.ticket_b = cls._ticket(cls.customer_b, name="B: desk scratched")
        (cls.ticket_a | cls.ticket_b).user_id = cls.agent
        cls.public_b = cls._post(cls.ticket_b, "Public answer to B", "mail.mt_comment")
        cls.note_b = cls._post(cls.ticket_b, "Secret note on B", "mail.mt_note")
        cls.public_a = cls._post(cls.ticket_a, "Public answer to A", "mail.mt_comment")
        cls.note_a = cls._post(cls.ticket_a, "Secret note on A", "mail.mt_note")
        cls.env.cr.flush()

    @classmethod
    def _post(cls, ticket, body, subtype):
        return ticket.with_user(cls.agent).message_post(
            body=body,
            subtype_xmlid=subtype,
            message_type="comment",
            attachments=[(f"{body}.txt", body.encode())],
        )

    def _login(self, user):
        self.authenticate(user.login, user.login)

    def _get(self, url, **params):
        query = "&".join(f"{key}={value}" for key, value in params.items())
        return self.url_open(f"{url}?{query}" if query else url, allow_redirects=False)

    def _page(self, ticket, **params):
        return self._get(f"/my/tickets/{ticket.id}", **params)

    def _csrf(self):
        return Request.csrf_token(self)

    def _post_form(self, ticket, action, csrf=True, headers=None, **data):
        data.setdefault("stage_since", str(ticket.date_last_stage_update))
        if csrf:
            data["csrf_token"] = self._csrf()
        return self.url_open(
            f"/my/tickets/{ticket.id}/{action}",
            data=data,
            headers=headers,
            allow_redirects=False,
        )

    @mute_logger(HTTP)
    def _rpc(self, route, **params):
        """Return the result of a JSON-RPC call, or the name of the error."""
        try:
            return self.make_jsonrpc_request(route, params)
        except JsonRpcException as error:
            return str(error).split("\n", maxsplit=1)[0]

    def _call(self, model, method, *args, **kwargs):
        return self._rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=args,
            kwargs=kwargs,
        )


@tagged("post_install", "-at_install")
class TestPortal(HelpdeskPortalCommon):
    # -- What customers see --------------------------------------------------

    def test_list_shows_the_tickets_of_the_own_company_only(self):
        hidden = self.env["helpdesk.team"].create(
            {"name": "Hidden", "privacy_visibility": "internal"}
        )
        self._ticket(self.contact_a1, name="A: internal", team_id=hidden.id)
        for user, seen in (
            (self.user_a1, {"A: lamp broken"}),
            (self.user_a2, {"A: lamp broken"}),
            (self.user_b, {"B: desk scratched"}),
        ):
            self._login(user)
            text = self._get("/my/tickets").text
            names = {"A: lamp broken", "A: internal", "B: desk scratched"}
            self.assertEqual({name for name in names if name in text}, seen)

    def test_list_searches_filters_sorts_and_groups(self):
        closed = self._ticket(self.contact_a1, name="A: phone silent")
        closed.stage_id = self.team.stage_ids.filtered("fold")[0]
        self._login(self.user_a1)
        open_name, closed_name = "A: lamp broken", "A: phone silent"
        for params, seen in (
            ({}, {open_name, closed_name}),
            ({"filterby": "open"}, {open_name}),
            ({"filterby": "closed"}, {closed_name}),
            ({"search": "phone"}, {closed_name}),
            ({"search": "phone", "search_in": "ticket_ref"}, set()),
            ({"search": f"%23{closed.ticket_ref}"}, {closed_name}),
            ({"groupby": "stage_id", "sortby": "name"}, {open_name, closed_name}),
            ({"groupby": "team_id", "sortby": "update"}, {open_name, closed_name}),
            ({"groupby": "partner_id"}, {open_name, closed_name}),
            # What isn't on offer is ignored.
            (
                {"sortby": "x", "filterby": "(", "groupby": "id"},
                {open_name, closed_name},
            ),
        ):
            with self.subTest(params=params):
                response = self._get("/my/tickets", **params)
                self.assertEqual(response.status_code, 200)
                for name in (open_name, closed_name):
                    self.assertEqual(response.text.count(name), int(name in seen))

    def test_list_has_pages(self):
        self._ticket(self.contact_a1)
        self.env["helpdesk.ticket"].create(
            [
                {
                    "name": f"Many {number:03}",
                    "team_id": self.team.id,
                    "partner_id": self.customer_a.id,
                }
                for number in range(100)
            ]
        )
        self._login(self.user_a1)
        first = self._get("/my/tickets", sortby="name", search="Many").text
        self.assertIn("Many 000", first)
        self.assertNotIn("Many 040", first)
        second = self._get("/my/tickets/page/2", sortby="name", search="Many").text
        self.assertIn("Many 040", second)
        self.assertNotIn("Many 039", second)
        self.assertIn("page/3", second)
        for page in (0, 4, 10**6, 10**30):
            beyond = self._get(f"/my/tickets/page/{page}", sortby="name", search="Many")
            self.assertEqual(beyond.status_code, 200)
            self.assertIn("Many 000", beyond.text)
            self.assertNotIn("Many 040", beyond.text)

    def test_contacts_are_grouped_by_name(self):
        for partner in (self.contact_a2, self.contact_a1, self.customer_a):
            self._ticket(partner)
        self._login(self.user_a1)
        page = fromstring(self._get("/my/tickets", groupby="partner_id").text)
        self.assertEqual(
            [
                " ".join(head.text_content().split())
                for head in page.xpath("//th[@scope='rowgroup']")
            ],
            [
                f"{self.customer_a.name} (1)",
                f"{self.contact_a1.name} (2)",
                f"{self.contact_a2.name} (1)",
            ],
        )

    def test_home_card_counts(self):
        self._login(self.user_a1)
        self.assertIn("/my/tickets", self._get("/my").text)
        counters = self._rpc("/my/counters", counters=["ticket_count"])
        self.assertEqual(counters["ticket_count"], 1)

    def test_page_shows_the_ticket(self):
        self.ticket_a.description = "<p>It fell off the shelf</p>"
        self._login(self.user_a2)
        response = self._page(self.ticket_a)
        self.assertEqual(response.status_code, 200)
        for text in (
            "A: lamp broken",
            f"#{self.ticket_a.ticket_ref}",
            "It fell off the shelf",
            self.agent.name,
            f"/my/tickets/{self.ticket_a.id}/close",
        ):
            self.assertIn(text, response.text)

    # -- T8 ------------------------------------------------------------------

    def test_t8_foreign_ids_and_tokens_are_refused(self):
        missing = self.ticket_a.browse(self.ticket_b.id + 10**6)
        token_a, token_b = self.ticket_a.access_token, self.ticket_b.access_token
        for user in (self.user_a1, None):
            if user:
                self._login(user)
            else:
                self.logout(keep_db=True)
            refused = [
                self._page(self.ticket_b),
                self._page(missing),
                self._page(self.ticket_b, access_token=""),
                self._page(self.ticket_b, access_token=token_a),
                self._page(self.ticket_b, access_token=token_b[:-1]),
                self._page(self.ticket_b, access_token=token_b.upper() + "x"),
                self._page(self.ticket_b, access_token="%C3%A9"),
                self._page(missing, access_token=token_b),
            ]
            self.assertEqual({answer.status_code for answer in refused}, {404})
            # "Not yours" and "doesn't exist" can't be told apart.
            self.assertEqual(len({len(answer.text) for answer in refused[:2]}), 1)
            self.assertNotIn("desk scratched", refused[0].text)
            allowed = self._page(self.ticket_b, access_token=token_b)
            self.assertEqual(allowed.status_code, 200)
            self.assertIn("desk scratched", allowed.text)

    def test_t8_link_ends_with_the_visibility_of_the_team(self):
        token = self.ticket_b.access_token
        thread = {
            "thread_model": "helpdesk.ticket",
            "thread_id": self.ticket_b.id,
            "token": token,
        }
        fetched = self._rpc("/mail/chatter_fetch", **thread)
        self.assertIn(self.public_b.id, fetched["messages"])
        self.assertNotIn(self.note_b.id, fetched["messages"])
        self.team.privacy_visibility = "internal"
        page = self._page(self.ticket_b, access_token=token)
        self.assertEqual(page.status_code, 404)
        self.assertNotIn("messages", self._rpc("/mail/chatter_fetch", **thread))
        self._login(self.user_b)
        self.assertEqual(self._page(self.ticket_b).status_code, 404)

    def test_t8_agent_opens_the_page_of_a_visible_ticket(self):
        self._login(self.agent)
        self.assertEqual(self._page(self.ticket_b).status_code, 200)
        self.team.privacy_visibility = "invited_internal"
        self._login(self.other_agent)
        self.assertEqual(self._page(self.ticket_b).status_code, 404)

    # -- T9 ------------------------------------------------------------------

    def test_t9_foreign_threads_are_closed(self):
        messages_before = self.ticket_b.message_ids
        thread_b = {"thread_model": "helpdesk.ticket", "thread_id": self.ticket_b.id}
        token_a = self.ticket_a.access_token
        content = {"body": "Injected", "attachment_ids": []}
        for user in (self.user_a1, None):
            if user:
                self._login(user)
            else:
                self.logout(keep_db=True)
            for keys in (
                {},
                {"token": ""},
                {"token": token_a},
                {"token": self.ticket_b.access_token[:-1]},
                {"token": "é"},
                {"hash": "0" * 64, "pid": self.customer_b.id},
                {"hash": "x", "pid": "nobody"},
                {
                    "hash": self.ticket_a._sign_token(self.contact_a1.id),
                    "pid": self.contact_a1.id,
                },
            ):
                with self.subTest(user=user, keys=keys):
                    for route, params in (
                        ("/mail/chatter_fetch", thread_b),
                        ("/mail/thread/messages", thread_b),
                        ("/portal/chatter_init", thread_b),
                        ("/mail/message/post", thread_b | {"post_data": content}),
                        (
                            "/mail/message/reaction",
                            {
                                "message_id": self.public_b.id,
                                "content": "👍",
                                "action": "add",
                            },
                        ),
                        (
                            "/mail/message/update_content",
                            {"message_id": self.public_b.id, "update_data": content},
                        ),
                    ):
                        answer = json.dumps(self._rpc(route, **params, **keys))
                        self.assertNotIn("to B", answer, route)
                        self.assertNotIn('"count": 1', answer, route)
                        self.assertNotIn(f'"messages": [{self.public_b.id}', answer)
        self.ticket_b.invalidate_recordset()
        self.assertEqual(self.ticket_b.message_ids, messages_before)
        self.assertIn("Public answer to B", self.public_b.body)
        self.assertFalse(self.public_b.sudo().reaction_ids)

    def test_t9_own_thread_works(self):
        self._login(self.user_a1)
        thread = {"thread_model": "helpdesk.ticket", "thread_id": self.ticket_a.id}
        fetched = self._rpc("/mail/chatter_fetch", **thread)
        self.assertIn(self.public_a.id, fetched["messages"])
        self.assertNotIn(self.note_a.id, fetched["messages"])
        self._rpc(
            "/mail/message/post",
            **thread,
            post_data={
                "body": "Thank you",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
            },
        )
        message = self.ticket_a.message_ids[0]
        self.assertIn("Thank you", message.body)
        self.assertEqual(message.author_id, self.contact_a1)

    # -- T10, T11 ------------------------------------------------------------

    def test_t10_foreign_files_are_closed(self):
        file_b = self.public_b.attachment_ids
        file_a = self.public_a.attachment_ids
        token_a = file_a.generate_access_token()[0]
        missing = file_b.id + 10**6
        for user in (self.user_a1, None):
            if user:
                self._login(user)
            else:
                self.logout(keep_db=True)
            for url in (
                "/web/content/%s",
                "/web/image/%s",
                f"/web/content/ir.attachment/%s/{CONTENT}",
                f"/web/content/%s?access_token={token_a}",
                f"/web/content/%s?access_token={self.ticket_a.access_token}",
                "/mail/attachment/pdf_first_page/%s",
            ):
                with self.subTest(user=user, url=url):
                    answer = self._get(url % file_b.id)
                    other = self._get(url % missing)
                    self.assertNotIn("Public answer to B", answer.text)
                    self.assertEqual(answer.status_code, other.status_code)
                    if "/web/image" not in url:  # a placeholder, for both
                        self.assertIn(answer.status_code, (403, 404))
            self._get(f"/web/image/helpdesk.ticket/{self.ticket_b.id}/name")
            answer = self.url_open(
                "/mail/attachment/zip",
                data={
                    "file_ids": f"[{file_b.id}]",
                    "zip_name": "stolen.zip",
                    "csrf_token": self._csrf(),
                },
            )
            self.assertNotIn(b"Public answer to B", answer.content)
            avatar = self._get(
                f"/mail/avatar/mail.message/{self.public_b.id}/author_avatar/50x50",
                access_token=self.ticket_a.access_token,
            )
            self.assertIn(avatar.status_code, (200, 404))

    def test_t10_own_file_opens(self):
        self._login(self.user_a1)
        thread = {"thread_model": "helpdesk.ticket", "thread_id": self.ticket_a.id}
        messages = self._rpc("/mail/chatter_fetch", **thread)["data"]["mail.message"]
        [file] = [file for message in messages for file in message["attachment_ids"]]
        answer = self._get(
            f"/web/content/{file['id']}", access_token=file["raw_access_token"]
        )
        self.assertEqual(answer.text, "Public answer to A")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_t11_files_of_others_do_not_move_to_the_own_ticket(self):
        file_b = self.public_b.attachment_ids
        self._login(self.user_a1)
        before = self.ticket_a.message_ids
        for extra in ({}, {"attachment_tokens": [self.ticket_a.access_token]}):
            self._rpc(
                "/mail/message/post",
                thread_model="helpdesk.ticket",
                thread_id=self.ticket_a.id,
                post_data={"body": "Mine", "attachment_ids": file_b.ids} | extra,
            )
        self._call(
            "helpdesk.ticket",
            "message_post",
            [self.ticket_a.id],
            body="Mine",
            attachment_ids=file_b.ids,
        )
        self.assertEqual(
            (file_b.res_model, file_b.res_id),
            ("helpdesk.ticket", self.ticket_b.id),
        )
        self.ticket_a.invalidate_recordset()
        self.assertNotIn(file_b, self.ticket_a.message_ids.attachment_ids)
        self.assertLessEqual(len(self.ticket_a.message_ids - before), 1)

    def test_t11_upload_to_a_foreign_thread_is_refused(self):
        self._login(self.user_a1)
        attachments = self.env["ir.attachment"].search_count([])
        answer = self.url_open(
            "/mail/attachment/upload",
            data={
                "thread_model": "helpdesk.ticket",
                "thread_id": self.ticket_b.id,
                "is_pending": "true",
                "csrf_token": self._csrf(),
            },
            files={"ufile": ("mine.txt", b"mine", "text/plain")},
        )
        self.assertEqual(answer.status_code, 404)
        self.assertEqual(self.env["ir.attachment"].search_count([]), attachments)

    # -- T13 -----------------------------------------------------------------

    def test_t13_internal_notes_never_show(self):
        note_file = self.note_a.attachment_ids
        self.ticket_a.kanban_state = "blocked"
        self.env.cr.flush()
        self.ticket_a.invalidate_recordset()
        tracking = self.ticket_a.message_ids.sudo().tracking_value_ids
        self.assertTrue(tracking, "the change of the kanban state is tracked")
        thread = {"thread_model": "helpdesk.ticket", "thread_id": self.ticket_a.id}
        self._login(self.user_a1)
        answers = [
            self._page(self.ticket_a).text,
            json.dumps(self._rpc("/mail/chatter_fetch", **thread)),
            json.dumps(self._rpc("/mail/thread/messages", **thread)),
            json.dumps(self._call("mail.message", "search_read", [], ["body"])),
            json.dumps(self._call("mail.message", "read", self.note_a.ids, ["body"])),
            json.dumps(
                self._call("mail.tracking.value", "search_read", [], ["field_id"])
            ),
            json.dumps(self._call("ir.attachment", "search_read", [], ["name"])),
            json.dumps(
                self._call(
                    "ir.attachment",
                    "read",
                    note_file.ids,
                    ["name", CONTENT],
                )
            ),
            self._get(f"/web/content/{note_file.id}").text,
            json.dumps(
                self._call(
                    "helpdesk.ticket", "read", self.ticket_a.ids, ["message_ids"]
                )
            ),
        ]
        self.logout(keep_db=True)
        token = self.ticket_a.access_token
        answers += [
            self._page(self.ticket_a, access_token=token).text,
            json.dumps(self._rpc("/mail/chatter_fetch", **thread, token=token)),
            self._get(f"/web/content/{note_file.id}", access_token=token).text,
        ]
        for number, answer in enumerate(answers):
            with self.subTest(number=number):
                self.assertNotIn("Secret", answer)
                self.assertNotIn("kanban", answer)
                self.assertNotIn("blocked", answer)

    def test_t13_notes_are_not_mailed_to_customers(self):
        self.ticket_a.message_subscribe(self.contact_a1.ids)
        note = self._post(self.ticket_a, "Secret again", "mail.mt_note")
        self.ticket_a.priority = "3"
        self.env.cr.flush()
        notified = (note | self.ticket_a.message_ids).notification_ids.filtered(
            lambda notification: notification.mail_message_id.subtype_id.internal
        )
        self.assertNotIn(self.contact_a1, notified.res_partner_id)

    # -- T14 -----------------------------------------------------------------

    def test_t14_customers_read_these_fields_only(self):
        """A new field of the ticket is hidden from customers, or listed here."""
        fields = self.env["helpdesk.ticket"].with_user(self.user_a1).fields_get()
        bridges = {  # counters and links of the services, without content
            name
            for name, field in self.env["helpdesk.ticket"]._fields.items()
            if field._module not in ("helpdesk_after_sales", None)
            and field._module.startswith("helpdesk_")
        }
        self.assertEqual(
            set(fields)
            - bridges
            - set(models.MAGIC_COLUMNS)
            - set(self.env["mail.thread"]._fields)
            - set(self.env["mail.activity.mixin"]._fields)
            - set(
                self.env["rating.mixin"]._fields if "rating.mixin" in self.env else ()
            )
            - set(self.env["mail.tracking.duration.mixin"]._fields)
            - set(self.env["portal.mixin"]._fields),
            {
                "name",
                "ticket_ref",
                "active",
                "description",
                "priority",
                "team_id",
                "company_id",
                "stage_id",
                "close_date",
                "date_last_stage_update",
                "partner_id",
                "commercial_partner_id",
                "partner_name",
                "partner_email",
                "partner_phone",
                "use_credit_notes",
                "use_coupons",
                "use_product_returns",
                "use_product_repairs",
                "use_fsm",
                "user_can_read",
            }
            | {name for name in ("warranty_end", "merged_into_id") if name in fields},
        )

    def test_t14_rpc_shows_own_rows_only(self):
        self._login(self.user_a1)
        own = [{"id": self.ticket_a.id, "name": "A: lamp broken"}]
        call = self._call
        self.assertEqual(call("helpdesk.ticket", "search_read", [], ["name"]), own)
        self.assertEqual(call("helpdesk.ticket", "search_count", []), 1)
        self.assertEqual(call("helpdesk.ticket", "name_search", "scratched"), [])
        for domain in (
            [("name", "ilike", "B:")],
            [("id", "=", self.ticket_b.id)],
            [("partner_id", "=", self.customer_b.id)],
        ):
            self.assertEqual(call("helpdesk.ticket", "search", domain), [])
        refused = (
            call("helpdesk.ticket", "read", self.ticket_b.ids, ["name"]),
            call("helpdesk.ticket", "export_data", self.ticket_b.ids, ["name"]),
            call("helpdesk.ticket", "read", self.ticket_a.ids, ["tag_ids"]),
            call("helpdesk.ticket", "search", [("kanban_state", "=", "blocked")]),
            call("helpdesk.ticket", "search", [("user_id.login", "like", "a")]),
            call("helpdesk.ticket", "search", [("user_id.password", "like", "a")]),
            call("helpdesk.ticket", "search", [("product_id.standard_price", ">", 1)]),
            call("helpdesk.ticket", "search", [("tag_ids.name", "like", "a")]),
            call("helpdesk.ticket", "search", [("team_id.alias_id", "!=", False)]),
            call("helpdesk.ticket", "search", [("stage_id.name", "like", "N")]),
            call("helpdesk.ticket", "search", [("email_cc", "like", "a")]),
            call("helpdesk.ticket", "formatted_read_group", [], ["user_id"]),
            call("helpdesk.ticket", "search", [], order="kanban_state"),
            call("helpdesk.team", "search", []),
            call("helpdesk.stage", "search", []),
            call("helpdesk.tag", "search", []),
        )
        for number, answer in enumerate(refused):
            with self.subTest(number=number):
                self.assertIsInstance(answer, str, answer)

    def test_t14_followers_of_others_are_no_oracle(self):
        self.ticket_a.message_subscribe(self.agent.partner_id.ids)
        self._login(self.user_a1)
        answer = self._call(
            "helpdesk.ticket",
            "search_count",
            [("message_partner_ids", "in", self.agent.partner_id.ids)],
        )
        self.assertIsInstance(answer, str, answer)

    def test_t14_rpc_changes_nothing(self):
        self._login(self.user_a1)
        team = self.team.id
        closed = self.team.stage_ids.filtered("fold")[0]
        before = self.ticket_a.read()[0]
        count = self.env["helpdesk.ticket"].search_count([])
        refused = {
            "write": [[self.ticket_a.id], {"stage_id": closed.id}],
            "web_save": [[self.ticket_a.id], {"name": "Mine"}, {}],
            "create": [
                {"name": "x", "team_id": team, "partner_id": self.customer_b.id}
            ],
            "unlink": [[self.ticket_a.id]],
            "copy": [[self.ticket_a.id]],
            "action_archive": [[self.ticket_a.id]],
            "name_create": ["x"],
            "load": [["name"], [["x"]]],
            "message_unsubscribe": [[self.ticket_a.id], self.agent.partner_id.ids],
            "message_subscribe": [[self.ticket_a.id], self.customer_b.ids],
            "message_new": [{"subject": "x", "email_from": "x@example.com"}],
            "message_update": [[self.ticket_a.id], {}, {"name": "x"}],
        }
        # And each method that this addon adds: on the ticket of somebody else too.
        for klass in type(self.ticket_a).mro():
            if "helpdesk_" not in klass.__module__:
                continue
            for name in vars(klass):
                if callable(vars(klass)[name]) and not name.startswith("_"):
                    refused.setdefault(name, [[self.ticket_a.id]])
        for name in ("portal_close", "portal_reopen", "portal_create", "message_post"):
            del refused[name]  # what customers may do: test_api
        for name, args in refused.items():
            if name in ("create", "write", "copy_data") and name not in refused:
                continue
            with self.subTest(method=name):
                self._call("helpdesk.ticket", name, *args)
                self.ticket_a.invalidate_recordset()
                after = self.ticket_a.read()[0]
                self.assertEqual(
                    {key: after[key] for key in before if after[key] != before[key]},
                    {},
                )
                self.assertEqual(self.env["helpdesk.ticket"].search_count([]), count)
        self._call("helpdesk.ticket", "write", [self.ticket_b.id], {"partner_id": 1})
        self.assertEqual(self.ticket_b.partner_id, self.customer_b)

    # -- T15 -----------------------------------------------------------------

    def test_t15_close_and_reopen(self):
        self._login(self.user_a2)
        answer = self._post_form(self.ticket_a, "close")
        self.assertEqual(answer.status_code, 303)
        self.assertTrue(self.ticket_a.close_date)
        self.env.cr.flush()
        message = self.ticket_a.message_ids.filtered(
            lambda m: "Closed by the customer" in (m.body or "")
        )
        self.assertEqual(message.author_id, self.contact_a2)
        self._post_form(self.ticket_a, "reopen")
        self.assertFalse(self.ticket_a.close_date)

    def test_t15_close_with_the_link(self):
        token = self.ticket_b.access_token
        self.authenticate(None, None)
        self._page(self.ticket_b, access_token=token)
        self._post_form(self.ticket_b, "close", access_token="wrong")
        self.assertFalse(self.ticket_b.close_date)
        answer = self._post_form(self.ticket_b, "close", access_token=token)
        self.assertEqual(answer.status_code, 303)
        self.assertTrue(self.ticket_b.close_date)
        self.env.cr.flush()
        self.assertIn(self.customer_b, self.ticket_b.message_ids.mapped("author_id"))

    @mute_logger(HTTP)
    def test_t15_no_change_without_the_form(self):
        self._login(self.user_a1)
        url = f"/my/tickets/{self.ticket_a.id}/close"
        stage = self.ticket_a.stage_id
        self.assertEqual(self._get(url).status_code, 405)
        self.assertEqual(
            self._post_form(self.ticket_a, "close", csrf=False).status_code, 400
        )
        answer = self._post_form(
            self.ticket_a,
            "close",
            csrf=False,
            csrf_token="0" * 40 + "o99999999999",
            headers={"Origin": "https://evil.example.com"},
        )
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(self._post_form(self.ticket_b, "close").status_code, 404)
        self.assertEqual(self._post_form(self.ticket_a, "delete").status_code, 404)
        self.assertEqual(self.ticket_a.stage_id, stage)
        self.assertFalse(self.ticket_b.close_date)

    def test_t15_an_old_form_does_nothing(self):
        self._login(self.user_a1)
        old = "2020-01-01 00:00:00"
        for data in ({"stage_since": old}, {"stage_since": ""}):
            answer = self._post_form(self.ticket_a, "close", **data)
            self.assertIn("outdated", answer.headers["Location"])
            self.assertFalse(self.ticket_a.close_date)
        self.team.allow_portal_ticket_closing = False
        self.assertIn(
            "outdated", self._post_form(self.ticket_a, "close").headers["Location"]
        )
        self.assertFalse(self.ticket_a.close_date)
        self.assertNotIn("/close", self._page(self.ticket_a).text)

    # -- The customer changes ------------------------------------------------

    def test_former_customer_loses_everything_at_once(self):
        ticket = self.ticket_a
        followers = self.contact_a1 | self.contact_a2 | self.agent.partner_id
        ticket.message_subscribe(followers.ids)
        ticket.email_cc = "Two <contact2@alder.example.com>, x@other.example.com"
        token = ticket.access_token
        sign = {
            "hash": ticket._sign_token(self.contact_a1.id),
            "pid": self.contact_a1.id,
        }
        ticket.with_user(self.agent).partner_id = self.customer_b
        self.assertEqual(ticket.message_partner_ids & followers, self.agent.partner_id)
        self.assertEqual(ticket.partner_email, self.customer_b.email)
        self.assertNotIn("alder", ticket.email_cc)
        self.assertIn("x@other.example.com", ticket.email_cc)
        answer = self._post(ticket, "Reply for Berta", "mail.mt_comment")
        self.assertFalse(
            answer.notified_partner_ids & (self.contact_a1 | self.contact_a2)
        )
        thread = {"thread_model": "helpdesk.ticket", "thread_id": ticket.id}
        for user in (self.user_a1, self.user_a2, None):
            if user:
                self._login(user)
            else:
                self.logout(keep_db=True)
            self.assertEqual(self._page(ticket, access_token=token).status_code, 404)
            for keys in ({"token": token}, sign):
                answer = self._rpc("/mail/chatter_fetch", **thread, **keys)
                self.assertNotIn("Berta", json.dumps(answer))
            file = self.public_a.attachment_ids
            self.assertEqual(self._get(f"/web/content/{file.id}").status_code, 404)
        self._login(self.user_b)
        self.assertEqual(self._page(ticket).status_code, 200)

    def _file_links(self, ticket, message):
        """Return the addresses of the files of a message, as its customer gets them."""
        thread = {"thread_model": "helpdesk.ticket", "thread_id": ticket.id}
        messages = self._rpc("/mail/chatter_fetch", **thread)["data"]["mail.message"]
        [files] = [each["attachment_ids"] for each in messages if each["id"] == message]
        return [
            f"/web/{route}/{file['id']}?access_token={file['raw_access_token']}"
            for file in files
            for route in ("content", "image")
        ]

    def test_t10_links_to_files_end_with_the_former_customer(self):
        """Odoo's own signatures would be good for two to six weeks more."""
        ticket = self.ticket_a
        photo = self.env["ir.attachment"].create(
            {
                "name": "photo.png",
                "raw": b64decode(PIXEL),
                "res_model": ticket._name,
                "res_id": ticket.id,
            }
        )
        [lasting] = photo.generate_access_token()
        picture = f"/web/image/{photo.id}?access_token=%s"
        ticket.description = Markup('<img src="%s"/>') % (picture % lasting)
        message = ticket.with_user(self.agent).message_post(
            body=Markup('<p>See <img src="%s"/></p>') % (picture % lasting),
            subtype_xmlid="mail.mt_comment",
            message_type="comment",
            attachment_ids=photo.ids,
        )
        self._login(self.user_a1)
        old = self._file_links(ticket, message.id)
        old += self._file_links(ticket, self.public_a.id)
        [file] = ticket.with_user(self.user_a1).portal_messages()[-1]["attachments"]
        old += [file["url"], picture % lasting]
        for user in (self.user_a1, None):
            if not user:
                self.logout(keep_db=True)
            for url in old:
                with self.subTest(user=user, url=url):
                    answer = self._get(url)
                    self.assertEqual(answer.status_code, 200)
                    self.assertNotIn("placeholder", str(answer.headers))
        ticket.with_user(self.agent).partner_id = self.customer_b
        for user in (self.user_a1, None, self.user_a2):
            if user:
                self._login(user)
            else:
                self.logout(keep_db=True)
            for url in old:
                with self.subTest(user=user, url=url):
                    answer = self._get(url)
                    self.assertNotEqual(answer.content, b64decode(PIXEL))
                    self.assertNotIn("Public answer to A", answer.text)
                    if "/web/image" not in url:  # a placeholder
                        self.assertIn(answer.status_code, (403, 404))
        # The new one, and colleagues with an old page, see everything.
        self._login(self.user_b)
        page = self._page(ticket).text
        body = self._rpc(
            "/mail/chatter_fetch",
            thread_model="helpdesk.ticket",
            thread_id=ticket.id,
        )["data"]["mail.message"]
        token = photo.access_token
        self.assertNotEqual(token, lasting)
        self.assertIn(token, page)
        self.assertIn(token, json.dumps(body))
        self.assertNotIn(lasting, page + json.dumps(body))
        links = [*self._file_links(ticket, message.id), picture % token]
        for url in links:
            self.assertEqual(self._get(url).content, b64decode(PIXEL), url)
        self._login(self.agent)
        for url in [link for link in old if lasting not in link]:
            self.assertEqual(self._get(url).status_code, 200, url)

    def test_t10_a_colleague_who_takes_over_ends_the_links_too(self):
        self._login(self.user_a1)
        [url, _image] = self._file_links(self.ticket_a, self.public_a.id)
        self.ticket_a.partner_id = self.contact_a2
        self.logout(keep_db=True)
        self.assertIn(self._get(url).status_code, (403, 404))
        self._login(self.user_a1)  # sees it by the rule of the company
        [new, _image] = self._file_links(self.ticket_a, self.public_a.id)
        self.assertEqual(self._get(new).text, "Public answer to A")

    def test_t10_links_to_files_end_with_the_ticket(self):
        """A ticket that was deleted past the ORM leaves its files behind."""
        file = self.public_a.attachment_ids
        link = f"/web/content/{file.id}?access_token="
        old = file._get_raw_access_token()
        self.assertEqual(self._get(link + old).text, "Public answer to A")
        self.env.cr.execute("DELETE FROM helpdesk_ticket WHERE id = %s", [file.res_id])
        self.env.invalidate_all()
        answer = self._get(link + old)
        self.assertEqual(answer.status_code, 404)
        self.assertNotIn("Public answer to A", answer.text)
        for token in (file._get_raw_access_token(), file._get_thumbnail_token()):
            self.assertTrue(token)

    def test_colleague_takes_over_and_the_link_changes(self):
        self.ticket_a.message_subscribe((self.contact_a1 | self.contact_a2).ids)
        token = self.ticket_a.access_token
        self.ticket_a.partner_id = self.contact_a2
        self.assertNotEqual(self.ticket_a.access_token, token)
        self.assertNotIn(self.contact_a1, self.ticket_a.message_partner_ids)
        self.assertIn(self.contact_a2, self.ticket_a.message_partner_ids)

    def test_customer_taken_away_keeps_no_address(self):
        self.ticket_b.partner_id = False
        self.assertFalse(self.ticket_b.partner_email)
        self._login(self.user_b)
        self.assertEqual(self._page(self.ticket_b).status_code, 404)

    def test_nobody_gets_the_ticket_of_a_customerless_user(self):
        nobody = self._ticket()
        self._login(self.user_b)
        self.assertEqual(self._page(nobody).status_code, 404)

    # -- Replies -------------------------------------------------------------

    def test_reply_in_the_portal_reopens(self):
        closed = self.team.stage_ids.filtered("fold")[0]
        post = {
            "thread_model": "helpdesk.ticket",
            "thread_id": self.ticket_a.id,
            "post_data": {
                "body": "Still broken",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
            },
        }
        self._login(self.user_a1)
        self.team.reopen_on_reply = False
        self.ticket_a.stage_id = closed
        self._rpc("/mail/message/post", **post)
        self.assertTrue(self.ticket_a.close_date)
        self.team.reopen_on_reply = True
        self._rpc("/mail/message/post", **post)
        self.assertFalse(self.ticket_a.close_date)
        # An answer of the agent leaves it closed.
        self.ticket_a.stage_id = closed
        self._post(self.ticket_a, "Solved", "mail.mt_comment")
        self.assertTrue(self.ticket_a.close_date)


@tagged("post_install", "-at_install")
class TestPortalTour(HelpdeskPortalCommon):
    def test_customer_answers_closes_and_reopens(self):
        self.start_tour("/my", "helpdesk_portal", login=self.user_a1.login)
        answer = self.ticket_a.message_ids.filtered(
            lambda message: "It still flickers" in (message.body or "")
        )
        self.assertEqual(answer.author_id, self.contact_a1)
        self.assertFalse(self.ticket_a.close_date)
