import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskFsmCommon, drawn_signature

OTHER = drawn_signature(size=(320, 90))


@tagged("post_install", "-at_install")
class TestFsmEvidence(HelpdeskFsmCommon):
    """Rights hole 5, R4: what was signed stays as it was signed, whatever way leads to
    it, and page and report say so when it doesn't."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.task = cls._plan()
        cls._fill(cls.task)
        cls.photo = cls._photo(cls.task)

    def _files(self, record, *names):
        """Return the files of these fields, as the technician reaches them."""
        return (
            self.env["ir.attachment"]
            .with_user(self.technician)
            .search(
                [
                    ("res_model", "=", record._name),
                    ("res_id", "=", record.id),
                    ("res_field", "in", names),
                ]
            )
        )

    def _assert_sealed(self, files):
        """Assert that neither a technician nor the system for him changes ``files``."""
        self.assertTrue(files)
        kept = {file.id: file.raw for file in files.sudo()}
        for asked in (
            files,
            files.sudo(),
            files.with_user(self.project_manager).sudo(),
        ):
            for vals in (
                {"datas": OTHER},
                {"raw": base64.b64decode(OTHER)},
                {"res_id": 0},
                {"res_field": "image"},
                {"name": "other"},
                {"type": "url", "url": "https://example.com"},
                {"mimetype": "text/plain"},
            ):
                with self.assertRaises(UserError), self.cr.savepoint():
                    asked.write(vals)
            with self.assertRaises(UserError), self.cr.savepoint():
                asked.unlink()
        files.invalidate_recordset()
        self.assertEqual({file.id: file.raw for file in files.sudo()}, kept)

    def test_hole5b_files_of_a_signed_worksheet_are_sealed(self):
        self._sign(self.task)
        self._assert_sealed(self._files(self.task, "worksheet_signature"))
        self._assert_sealed(self._files(self.photo, "image", "image_512"))

    def test_hole5b_no_second_file_takes_the_place_of_the_signature(self):
        self._sign(self.task)
        vals = {
            "name": "worksheet_signature",
            "res_model": "project.task",
            "res_id": self.task.id,
            "res_field": "worksheet_signature",
            "datas": OTHER,
        }
        files = self.env["ir.attachment"].with_user(self.technician)
        with self.assertRaises(UserError), self.cr.savepoint():
            files.create(vals)
        own = files.create(vals | {"res_field": False})
        with self.assertRaises(UserError), self.cr.savepoint():
            own.res_field = "worksheet_signature"
        with self.assertRaises(UserError), self.cr.savepoint():
            own.write(
                {
                    "res_model": "fsm.task.photo",
                    "res_id": self.photo.id,
                    "res_field": "image_512",
                }
            )
        own.unlink()  # another file of the task stays his

    def test_hole5b_versions_in_the_chatter_are_sealed(self):
        self._sign(self.task)
        technician = self.task.with_user(self.technician)
        technician._reopen_worksheet("Wrong hours")
        files = self.task.message_ids.attachment_ids.filtered("helpdesk_sealed")
        self.assertEqual(
            sorted(files.mapped("name")), ["signature-v1.png", "worksheet-v1.json"]
        )
        self._assert_sealed(files.with_user(self.technician))
        with self.assertRaises(AccessError), self.cr.savepoint():
            files.with_user(self.technician).write({"helpdesk_sealed": False})
        with self.assertRaises(UserError):
            self.task.unlink()

    def test_hole5b_what_is_open_is_changed_and_deleted(self):
        self.assertTrue(self._files(self.photo, "image"))
        self.photo.with_user(self.technician).image = OTHER
        self._sign(self.task)
        self.task.with_user(self.technician)._reopen_worksheet("Once more")
        self.assertFalse(self._files(self.task, "worksheet_signature"))
        self.photo.with_user(self.technician).unlink()
        self._sign(self.task, name="Bea Birch")
        self.assertEqual(self.task.worksheet_version, 2)

    def _report(self):
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "helpdesk_fsm.report_worksheet", self.task.ids
        )
        return html.decode()

    def test_hole5b_page_and_report_say_what_differs(self):
        self._sign(self.task)
        content = self.task._get_worksheet_content()
        self.assertFalse(content["changed"])
        self.assertFalse(content["signature"]["changed"])
        self.assertFalse(content["photos"][0]["changed"])
        self.assertNotIn("after signing", self._report())
        for value in (OTHER, False):
            with self.subTest(value=bool(value)):
                self._tamper(self.task, "worksheet_signature", value)
                content = self.task._get_worksheet_content()
                self.assertTrue(content["signature"]["changed"])
                self.assertIn("after signing", self._report())
                self.assertNotIn('alt="Signature"', self._report())
        # The preview is what is shown.
        self._tamper(self.photo, "image_512", OTHER)
        self.assertTrue(self.task._get_worksheet_content()["photos"][0]["changed"])

    def test_hole5b_changed_content_is_said(self):
        self._sign(self.task)
        self.env.flush_all()
        self.cr.execute(
            "UPDATE project_task SET worksheet_snapshot = "
            "replace(worksheet_snapshot, 'motor', 'pump') WHERE id = %s",
            (self.task.id,),
        )
        self.env.invalidate_all()
        self.assertTrue(self.task._get_worksheet_content()["changed"])
        self.assertIn("fsm_changed", self._report())

    def test_hole5b_reopen_without_its_files(self):
        self._sign(self.task)
        self._tamper(self.task, "worksheet_signature", False)
        self.task.with_user(self.technician)._reopen_worksheet("Lost")
        self.assertFalse(self.task.worksheet_signed_on)
        self.assertEqual(self.task.worksheet_version, 2)

    def test_traces_a_signer_of_any_characters(self):
        self.task._sign_worksheet("Ada\x00 \ud800Alder\r\nJr.", drawn_signature())
        self.assertEqual(self.task.worksheet_signed_by, "Ada Alder Jr.")
        self.task.with_user(self.technician)._reopen_worksheet("Name")
        with self.assertRaises(UserError):
            self.task.sudo()._sign_worksheet("\x00\x01", drawn_signature())
