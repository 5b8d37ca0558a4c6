import json
import re
from unittest.mock import patch

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import BEGIN, END, HelpdeskFsmCommon, drawn_signature


@tagged("post_install", "-at_install")
class TestFsmPortal(HelpdeskFsmCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for login, partner in (
            ("visit_a1", cls.contact_a1),
            ("visit_a2", cls.contact_a2),
            ("visit_b", cls.customer_b),
        ):
            new_test_user(
                cls.env, login=login, groups="base.group_portal", partner_id=partner.id
            )
        cls.task = cls._plan(
            planned_date_begin=BEGIN, date_deadline=END, name="Look at the motor"
        )
        cls._fill(cls.task)
        cls.ticket_b = cls._ticket(cls.customer_b)
        cls.task_b = cls._plan(ticket=cls.ticket_b, name="Visit of Berta")
        cls.token = re.search("access_token=(.*)", cls.task._get_visit_url())[1]
        cls.token_b = re.search("access_token=(.*)", cls.task_b._get_visit_url())[1]
        cls.url = f"/my/visits/{cls.task.id}"

    def _share(self):
        self.task.worksheet_shared_on = BEGIN

    def _get(self, url, status=200):
        self.env.flush_all()
        response = self.url_open(url)
        self.assertEqual(response.status_code, status, url)
        return response.text

    def _post_signature(self, token=None, name="Ada", signature=None, task=None):
        self.env.flush_all()
        url = f"/my/visits/{(task or self.task).id}/sign"
        response = self.url_open(
            url + (f"?access_token={token}" if token else ""),
            data=json.dumps(
                {
                    "params": {
                        "name": name,
                        "signature": drawn_signature()
                        if signature is None
                        else signature,
                    }
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        self.env.invalidate_all()
        return response.json()["result"]

    def test_s101_customer_sees_the_visits_of_the_tickets(self):
        self.task.message_post(
            body="Bring the big ladder", subtype_xmlid="mail.mt_note"
        )
        for login in ("visit_a1", "visit_a2"):
            self.authenticate(login, login)
            page = self._get("/my/visits")
            self.assertIn("Look at the motor", page)
            self.assertNotIn("Visit of Berta", page)
            page = self._get(self.url)
            self.assertIn("Tina", page)
            self.assertNotIn("Tina Tech", page)
            self.assertIn("Planned", page)
            self.assertNotIn("big ladder", page)
            self.assertNotIn("What was done", page)
        self.assertIn("/my/visits", self._get("/my/home"))
        self.assertEqual(
            self.make_jsonrpc_request("/my/counters", {"counters": ["visit_count"]})[
                "visit_count"
            ],
            1,
        )

    def test_s101_worksheet_is_seen_once_shared(self):
        self.authenticate("visit_a1", "visit_a1")
        self._get(f"{self.url}/report", 404)
        self._share()
        page = self._get(self.url)
        self.assertIn("Replaced the motor", page)
        self.assertIn("portal.signature_form", page)

    def test_customer_confirms_by_the_link(self):
        self.authenticate(None, None)
        link = f"{self.url}?access_token={self.token}"
        page = self._get(link)

        def form(page):
            token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
            return {"csrf_token": token}

        answer = f"{self.url}/answer?access_token="
        for token in (self.token_b, ""):
            status = self.url_open(
                answer + token, data=form(page) | {"answer": "confirmed"}
            ).status_code
            self.assertEqual(status, 404)
        self.assertFalse(self.task.fsm_answer)
        page = self.url_open(
            answer + self.token,
            data=form(page) | {"answer": "other", "wish": "<b>Friday</b>"},
        ).text
        self.assertIn("&lt;b&gt;Friday", page)
        self.assertEqual(self.task.fsm_answer, "other")
        self.url_open(answer + self.token, data=form(page) | {"answer": "confirmed"})
        self.assertEqual(self.task.fsm_answer, "confirmed")

    def test_t16_strangers_and_wrong_tokens_get_nothing(self):
        self._share()
        task_b = f"/my/visits/{self.task_b.id}"
        for login in ("visit_b", None):
            self.authenticate(login, login)
            for url in (
                self.url,
                f"{self.url}/report",
                f"{self.url}?access_token=",
                f"{self.url}?access_token={self.token[:-1]}",
                f"{self.url}?access_token={self.token_b}",
                f"{self.url}/report?access_token={self.token_b}",
                f"{task_b}?access_token={self.token}",
                "/my/visits/999999999",
                "/my/visits/999999999?access_token=x",
            ):
                if login and url.endswith("access_token="):
                    continue
                self._get(url, 404)
            for token in (None, "", self.token_b, self.token[:-1]):
                self.assertIn("error", self._post_signature(token))
        self.authenticate("visit_b", "visit_b")
        self._get(f"{self.url}?access_token=", 404)
        self.assertFalse(self.task.worksheet_signed_on)

    def test_s101_the_link_opens_the_visit_without_login(self):
        self._share()
        self.authenticate(None, None)
        page = self._get(f"{self.url}?access_token={self.token}")
        self.assertIn("Replaced the motor", page)
        # Project's own pages don't know this link.
        response = self.url_open(
            f"/my/tasks/{self.task.id}?access_token={self.token}",
            allow_redirects=False,
        )
        self.assertNotEqual(response.status_code, 200)

    def test_s110_signing_by_link_and_in_the_portal(self):
        self._share()
        self.authenticate(None, None)
        result = self._post_signature(self.token, name="<b>Ada</b>")
        self.assertIn("redirect_url", result)
        self.assertEqual(self.task.worksheet_signed_by, "<b>Ada</b>")
        self.assertTrue(self.task.worksheet_signed_ip)
        page = self._get(result["redirect_url"])
        self.assertIn("Thank you", page)
        self.assertNotIn("<b>Ada</b>", page)
        self.assertIn(self.task.worksheet_hash, page)

    def test_t16_second_signature_is_told_of_the_first(self):
        self._share()
        self.authenticate("visit_a2", "visit_a2")
        self.assertIn("redirect_url", self._post_signature())
        self.authenticate("visit_a1", "visit_a1")
        self.assertIn(
            "already been signed by Ada", self._post_signature(name="Other")["error"]
        )
        self.assertEqual(self.task.worksheet_signed_by, "Ada")

    def test_t16_not_shared_cancelled_or_incomplete_is_not_signed(self):
        self.authenticate("visit_a1", "visit_a1")
        self.assertIn("not ready", self._post_signature()["error"])
        self._share()
        self._fill(self.task, work="")
        self.assertIn("What was done", self._post_signature()["error"])
        self._fill(self.task)
        self.task.state = "1_canceled"
        self.assertIn("cancelled", self._post_signature()["error"])
        self.assertFalse(self.task.worksheet_signed_on)

    def test_t16_hostile_signatures_by_http(self):
        self._share()
        self.authenticate("visit_a1", "visit_a1")
        for data in ("", "AAAA", "PHN2Zz4=", "A" * 20 * 1024 * 1024, 5, ["x"]):
            self.assertIn("error", self._post_signature(signature=data))
        for name in ("", None, 5, "x" * 500):
            self.assertIn("error", self._post_signature(name=name))
        for token in (5, ["x"], {"a": 1}, "ü"):
            result = self.make_jsonrpc_request(
                f"{self.url}/sign",
                {"access_token": token, "name": "A", "signature": drawn_signature()},
            )
            self.assertIn("error", result)
        self.assertFalse(self.task.worksheet_signed_on)

    def test_t15_no_signature_by_get_or_form(self):
        self._share()
        self.authenticate("visit_a1", "visit_a1")
        with mute_logger("odoo.http"):
            self.url_open(
                f"{self.url}/sign?name=Ada&signature={drawn_signature()[:40]}"
            )
            self.url_open(
                f"{self.url}/sign", data={"name": "A", "signature": drawn_signature()}
            )
        self.env.invalidate_all()
        self.assertFalse(self.task.worksheet_signed_on)

    def test_t30_changed_customer_or_team_closes_the_door(self):
        self._share()
        self.authenticate("visit_a1", "visit_a1")
        self._get(self.url)
        self.ticket_a.partner_id = self.customer_b
        self._get(self.url, 404)
        self.authenticate("visit_b", "visit_b")
        self._get(self.url, 404)
        self.ticket_a.partner_id = self.contact_a1
        self.team.privacy_visibility = "internal"
        self.authenticate("visit_a1", "visit_a1")
        self._get(self.url, 404)
        self.assertIn("no visits", self._get("/my/visits"))

    def test_archived_visit_is_gone_for_its_link(self):
        self.task.active = False
        self.authenticate(None, None)
        self._get(f"{self.url}?access_token={self.token}", 404)

    def test_t12_report_addresses(self):
        self._share()
        for login, urls in (
            ("visit_b", (str(self.task.id), f"{self.task_b.id},{self.task.id}")),
            ("visit_a1", (str(self.task.id),)),
        ):
            self.authenticate(login, login)
            for ids in urls:
                for kind in ("pdf", "html"):
                    with mute_logger("odoo.http"):
                        response = self.url_open(
                            f"/report/{kind}/helpdesk_fsm.report_worksheet/{ids}"
                        )
                    self.assertNotEqual(response.status_code, 200)
                    self.assertNotIn("Replaced the motor", response.text)

    def test_t10_pictures_and_signature_of_others(self):
        self._share()
        photo = self._photo(self.task)
        self._sign(self.task)
        self.env.flush_all()
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_field", "!=", False),
                    "|",
                    "&",
                    ("res_model", "=", "fsm.task.photo"),
                    ("res_id", "=", photo.id),
                    "&",
                    ("res_model", "=", "project.task"),
                    ("res_id", "=", self.task.id),
                ]
            )
        )
        self.assertGreaterEqual(len(attachments), 3)
        placeholder = self.url_open("/web/image/999999999").content
        for login in ("visit_b", "visit_a1", None):
            self.authenticate(login, login)
            for url in (
                f"/web/image/fsm.task.photo/{photo.id}/image",
                f"/web/image/project.task/{self.task.id}/worksheet_signature",
                *(f"/web/image/{attachment.id}" for attachment in attachments),
            ):
                self.assertEqual(self.url_open(url).content, placeholder, url)
            for attachment in attachments:
                self._get(f"/web/content/{attachment.id}", 404)

    def test_s111_customer_downloads_the_pdf(self):
        self._photo(self.task)
        self._sign(self.task)
        self.authenticate("visit_a1", "visit_a1")
        reports = self.env.registry["ir.actions.report"]
        render = reports._render_qweb_pdf

        def render_for_real(report, *args, **kwargs):
            report = report.with_context(force_report_rendering=True)
            return render(report, *args, **kwargs)

        with patch.object(reports, "_render_qweb_pdf", render_for_real):
            response = self.url_open(f"{self.url}/report")
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self.assertEqual(response.content[:5], b"%PDF-")

    def test_employees_without_helpdesk_rights_see_no_visits_here(self):
        self.employee.password = "after_sales_employee"
        self.authenticate("after_sales_employee", "after_sales_employee")
        self._get(self.url, 404)
        self.employee.group_ids = [
            Command.link(self.env.ref("helpdesk_after_sales.group_helpdesk_user").id)
        ]
        self._get(self.url, 404)
