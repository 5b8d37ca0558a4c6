import json
import os
import re
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path
from unittest.mock import patch
from xmlrpc.client import Fault

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_mail_gateway import PIXEL
from .test_portal import HelpdeskPortalCommon

README = Path(__file__).parents[1] / "README.rst"


@tagged("post_install", "-at_install")
class TestApi(HelpdeskPortalCommon):
    """What customers do in the portal, through Odoo's external API, and nothing more
    (issue 9, T14)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {
            user.id: cls.env(user=user.id)["res.users.apikeys"]
            .sudo()
            ._generate("rpc", "test", fields.Datetime.now() + timedelta(days=1))
            for user in (cls.user_a1, cls.user_b)
        }
        cls.phone_order = cls._sell(cls.contact_a1, (cls.lamp, 1))
        cls.ticket_a.write(
            {
                "sale_order_id": cls.phone_order.id,
                "product_id": cls.lamp.id,
                "description": "<p>It fell</p>",
            }
        )
        cls.env.cr.flush()

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.json2")
    def _json2(self, user, model, method, ids=(), status=200, **params):
        """Return the result of a call, or the status if it isn't the expected one."""
        answer = self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps({"ids": [*ids], **params}),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"bearer {self.keys[user.id]}",
            },
        )
        self.assertEqual(answer.status_code, status, answer.text[:500])
        return answer.json()

    def _xmlrpc(self, user, method, *args, **kwargs):
        return self.xmlrpc_object.execute_kw(
            self.env.cr.dbname,
            user.id,
            user.login,
            "helpdesk.ticket",
            method,
            args,
            kwargs,
        )

    def test_list_and_page(self):
        found = self._json2(
            self.user_a1,
            "helpdesk.ticket",
            "search_read",
            domain=[["close_date", "=", False]],
            fields=["ticket_ref", "name", "stage_id"],
            order="id desc",
        )
        self.assertEqual([row["id"] for row in found], self.ticket_a.ids)
        self.assertEqual(found[0]["stage_id"][1], self.ticket_a.stage_id.name)
        details = self._json2(
            self.user_a1, "helpdesk.ticket", "portal_details", self.ticket_a.ids
        )
        for key, value in {
            "number": self.ticket_a.ticket_ref,
            "subject": "A: lamp broken",
            "stage": self.ticket_a.stage_id.name,
            "team": self.team.name,
            "contact": self.agent.name,
            "order": self.phone_order.name,
            "product": self.lamp.display_name,
            "serial_number": False,
            "can_close": True,
            "can_reopen": False,
            "url": f"/my/tickets/{self.ticket_a.id}",
        }.items():
            self.assertEqual(details[key], value, key)
        self.assertIn("It fell", details["description"])
        self.assertEqual(
            details,
            {
                **self._xmlrpc(self.user_a1, "portal_details", self.ticket_a.ids),
                "created": details["created"],
            },
        )

    def test_conversation_and_files(self):
        answer = self._json2(
            self.user_a1,
            "helpdesk.ticket",
            "message_post",
            self.ticket_a.ids,
            body="See <b>photo</b>",
            attachments=[["p.png", PIXEL.decode("latin-1"), {"encoding": "latin-1"}]],
        )
        message = self.ticket_a.message_ids[0]
        self.assertEqual(answer, message.ids)
        self.assertEqual(message.author_id, self.contact_a1)
        self.assertEqual(message.message_type, "comment")
        self.assertIn("See &lt;b&gt;photo", message.body)
        self.assertEqual(message.attachment_ids.raw, PIXEL)
        messages = self._json2(
            self.user_a1, "helpdesk.ticket", "portal_messages", self.ticket_a.ids
        )
        self.assertEqual(messages[0]["id"], message.id)
        self.assertEqual(messages[-1]["id"], self.public_a.id)
        self.assertEqual(messages[0]["author"], self.contact_a1.name)
        self.assertEqual(messages[-1]["author"], self.agent.name)
        self.assertNotIn("Secret", json.dumps(messages))
        [file] = messages[-1]["attachments"]
        self.authenticate(None, None)
        self.assertEqual(self.url_open(file["url"]).text, "Public answer to A")
        older = self._xmlrpc(
            self.user_a1, "portal_messages", self.ticket_a.ids, 10, message.id
        )
        self.assertEqual([row["id"] for row in older], [m["id"] for m in messages[1:]])

    def test_close_and_reopen(self):
        for method, closed in (("portal_close", True), ("portal_reopen", False)):
            self.assertTrue(
                self._json2(self.user_a1, "helpdesk.ticket", method, self.ticket_a.ids)
            )
            self.ticket_a.invalidate_recordset()
            self.assertEqual(bool(self.ticket_a.close_date), closed)
            # A second time there's nothing to do.
            self._json2(
                self.user_a1, "helpdesk.ticket", method, self.ticket_a.ids, status=422
            )
        self.env.cr.flush()
        said = self.ticket_a.message_ids.filtered(
            lambda m: "by the customer" in (m.body or "")
        )
        self.assertEqual(said.author_id, self.contact_a1)
        self.team.allow_portal_ticket_closing = False
        with (
            self.assertRaisesRegex(Fault, "can't be closed here"),
            mute_logger("odoo.http"),
        ):
            self._xmlrpc(self.user_a1, "portal_close", self.ticket_a.ids)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_t14_nothing_more(self):
        """On somebody else's ticket, and as somebody else."""
        before = self.ticket_b.read()[0], self.ticket_b.message_ids
        for method, params in (
            ("portal_details", {}),
            ("portal_messages", {}),
            ("portal_close", {}),
            ("portal_reopen", {}),
            ("message_post", {"body": "Injected"}),
            ("read", {"fields": ["name"]}),
            ("write", {"vals": {"name": "x"}}),
        ):
            with self.subTest(method=method):
                answer = self._json2(
                    self.user_a1,
                    "helpdesk.ticket",
                    method,
                    self.ticket_b.ids,
                    status=403,
                    **params,
                )
                self.assertNotIn("scratched", json.dumps(answer))
        self.ticket_b.invalidate_recordset()
        self.assertEqual(self.ticket_b.read()[0], before[0])
        self.assertEqual(self.ticket_b.message_ids, before[1])
        count = len(self.ticket_a.message_ids)
        for params in (
            {"author_id": self.agent.partner_id.id},
            {"email_from": self.agent.email},
            {"message_type": "email"},
            {"message_type": "auto_comment"},
            {"subtype_xmlid": "mail.mt_note"},
            {"partner_ids": self.customer_b.ids},
            {"outgoing_email_to": "victim@victim.example.com"},
            {"email_layout_xmlid": "mail.mail_notification_layout"},
            {"is_internal": True},
        ):
            with self.subTest(params=params):
                self._json2(
                    self.user_a1,
                    "helpdesk.ticket",
                    "message_post",
                    self.ticket_a.ids,
                    status=403,
                    body="Forged",
                    **params,
                )
        self.ticket_a.invalidate_recordset()
        self.assertEqual(len(self.ticket_a.message_ids), count)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_agents_do_not_close_as_customers(self):
        ticket = self.ticket_a.with_user(self.agent)
        with self.assertRaisesRegex(Exception, "Only the customer"):
            ticket.portal_close()
        self.assertEqual(ticket.portal_details()["subject"], "A: lamp broken")

    def test_the_example_of_the_readme_works(self):
        [script] = re.findall(
            r"\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", README.read_text()
        )
        photo = Path(self.env["ir.attachment"]._filestore()) / "photo.png"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(PIXEL)
        self.addCleanup(photo.unlink)
        environment = {
            "ODOO_URL": self.base_url(),
            "ODOO_DATABASE": self.env.cr.dbname,
            "ODOO_KEY": self.keys[self.user_a1.id],
            "PHOTO": str(photo),
        }
        output = StringIO()
        with (
            patch.dict(os.environ, environment),
            self.allow_requests(all_requests=True),
            redirect_stdout(output),
        ):
            exec("\n".join(line[4:] for line in script.splitlines()), {})
        self.env.invalidate_all()
        self.assertIn("A: lamp broken", output.getvalue())
        self.assertIn("Public answer to A", output.getvalue())
        self.assertEqual(
            self.ticket_a.message_ids.attachment_ids.sorted("id")[-1].raw, PIXEL
        )
        self.assertTrue(self.ticket_a.close_date)
