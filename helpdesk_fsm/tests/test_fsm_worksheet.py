import base64
import hashlib
import json

from lxml.html import fromstring

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import HelpdeskFsmCommon, drawn_signature

SVG = base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
).decode()


@tagged("post_install", "-at_install")
class TestFsmWorksheet(HelpdeskFsmCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.task = cls._plan()

    # -- Templates -----------------------------------------------------------

    def test_x16_a_template_is_drawn_on_itself(self):
        template = self.env["fsm.worksheet.template"].with_user(self.project_manager)
        with Form(template) as form:
            form.name = "Drawn"
        template = form.record
        self.assertEqual(template.sample_template_id, template)
        # What the web client sends when a field is added in the form.
        template.write(
            {
                "sample_properties": [
                    {
                        "name": "aaaa",
                        "string": "Pressure *",
                        "type": "float",
                        "definition_changed": True,
                    }
                ]
            }
        )
        self.assertEqual(template.properties_definition[0]["string"], "Pressure *")

    def _redefine(self, change):
        definition = [
            changed
            for prop in self.template.properties_definition
            if (changed := change(prop))
        ]
        self.template.with_user(self.project_manager).properties_definition = definition

    def test_x16_adding_and_renaming_is_free(self):
        self._fill(self.task)
        self._redefine(
            lambda p: p | {"string": "Renamed *"} if p["name"] == "work" else p
        )
        self.template.properties_definition += [
            {"name": "more", "string": "More", "type": "char"}
        ]
        self.assertEqual(self.task.worksheet_properties["work"], "Replaced the motor")

    def test_x16_what_is_filled_is_neither_removed_nor_retyped(self):
        self._fill(self.task, result="good", flags=["a"])
        for change in (
            lambda p: p["name"] != "work" and p,
            lambda p: p | {"type": "char"} if p["name"] == "work" else p,
            lambda p: (
                p | {"selection": [["bad", "Bad"]]} if p["name"] == "result" else p
            ),
            lambda p: p | {"tags": [["b", "Beta", 2]]} if p["name"] == "flags" else p,
        ):
            with (
                self.assertRaisesRegex(UserError, "Duplicate the template"),
                self.cr.savepoint(),
            ):
                self._redefine(change)
            self.env.invalidate_all()
        self.assertEqual(self.task.worksheet_properties["work"], "Replaced the motor")

    def test_x16_what_nobody_filled_can_go(self):
        self._fill(self.task, result="good")
        self._redefine(lambda p: p["name"] != "remark" and p)
        self._redefine(
            lambda p: (
                p | {"selection": [["good", "Good"]]} if p["name"] == "result" else p
            )
        )
        self.assertNotIn(
            "remark", [p["name"] for p in self.template.properties_definition]
        )

    def test_x16_no_rich_text_and_no_reference_to_anything(self):
        for prop in (
            {"name": "x_html", "string": "Rich", "type": "html"},
            {"name": "x", "string": "Who", "type": "many2one", "comodel": "res.users"},
        ):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.template.properties_definition += [prop]

    def test_template_in_use_is_archived_not_deleted(self):
        with self.assertRaisesRegex(UserError, "Archive it"):
            self.template.unlink()
        self.template.copy().unlink()
        self.template.active = False
        self.assertEqual(self.task.worksheet_template_id, self.template)

    def test_filled_sheet_keeps_its_template(self):
        other = self.template.copy()
        task = self.task.with_user(self.technician)
        task.worksheet_template_id = other
        task.worksheet_template_id = self.template
        self._fill(self.task)
        with self.assertRaisesRegex(UserError, "already filled in"):
            task.worksheet_template_id = other

    def test_moving_to_another_project_keeps_the_sheet(self):
        self._fill(self.task)
        self.task.project_id = self.project.copy({"worksheet_template_id": False})
        self.assertEqual(self.task.worksheet_template_id, self.template)
        self.assertEqual(self.task.worksheet_properties["work"], "Replaced the motor")

    # -- Signing on the spot -------------------------------------------------

    def test_s110_signature_on_the_spot(self):
        self._fill(self.task)
        self._sign(self.task, name="  Ada   Alder ")
        self.assertEqual(self.task.worksheet_signed_by, "Ada Alder")
        self.assertTrue(self.task.worksheet_signed_on)
        self.assertTrue(self.task.worksheet_signature)
        self.assertEqual(
            self.task.worksheet_hash,
            hashlib.sha256(self.task.worksheet_snapshot.encode()).hexdigest(),
        )
        self.assertIn("signed by Ada Alder", self.ticket_a.message_ids[0].body)

    def test_x16_required_fields_are_asked_for_by_name(self):
        self._fill(self.task, work="", hours=False)
        with self.assertRaisesRegex(UserError, "What was done, Hours"):
            self.task.with_user(self.technician).action_sign_worksheet()
        # A zero is a value.
        self._fill(self.task, hours=0)
        self._sign(self.task)

    def test_x16_snapshot_holds_labels_values_and_photo_hashes(self):
        photo = self._photo(self.task)
        self._fill(
            self.task,
            result="good",
            flags=["a", "b"],
            day="2026-11-24",
            ok=True,
            cost=12.5,
            part=self.lamp.id,
        )
        self._sign(self.task)
        content = json.loads(self.task.worksheet_snapshot)
        values = {f["label"]: f["value"] for f in content["fields"]}
        self.assertEqual(values["What was done *"], "Replaced the motor")
        self.assertEqual(values["Hours *"], "1.50")
        self.assertEqual(values["Result"], "Good")
        self.assertEqual(values["Flags"], "Alpha, Beta")
        self.assertEqual(values["Day"], "11/24/2026")
        self.assertEqual(values["All fine"], "Yes")
        self.assertIn("12.50", values["Cost"])
        self.assertEqual(values["Part"], "Lamp")
        self.assertEqual(values["Remark"], "")
        self.assertEqual(content["customer"]["name"], self.contact_a1.display_name)
        self.assertEqual(
            content["photos"][0]["sha256"],
            hashlib.sha256(base64.b64decode(photo.image)).hexdigest(),
        )

    def test_x16_photos_are_put_into_order_with_captions(self):
        """As the technician drags them; the report keeps to it."""
        first, second, third = (
            self._photo(self.task, caption=caption) for caption in "abc"
        )
        view = self.env.ref("helpdesk_fsm.fsm_task_photo_view_kanban")
        self.assertIn('name="sequence" widget="handle"', view.arch_db)
        for sequence, photo in enumerate((third, first, second)):
            photo.with_user(self.technician).sequence = sequence
        self._fill(self.task)
        self._sign(self.task)
        content = self.task._get_worksheet_content()
        self.assertEqual([photo["caption"] for photo in content["photos"]], [*"cab"])
        with self.assertRaisesRegex(UserError, "already been signed"):
            third.with_user(self.technician).sequence = 9

    def test_t16_signed_content_is_frozen_for_everybody(self):
        photo = self._photo(self.task)
        self._fill(self.task)
        self._sign(self.task)
        for user in (self.technician, self.project_manager, self.env.user):
            task = self.task.with_user(user)
            for vals in (
                {"worksheet_properties": {"work": "x"}},
                {"worksheet_template_id": False},
                {"fsm_work_started_on": "2026-01-01 00:00:00"},
            ):
                with self.assertRaisesRegex(UserError, "already been signed"):
                    task.write(vals)
            with self.assertRaisesRegex(UserError, "already been signed"):
                photo.with_user(user).caption = "x"
            with self.assertRaisesRegex(UserError, "already been signed"):
                photo.with_user(user).unlink()
            with self.assertRaisesRegex(UserError, "already been signed"):
                self._photo(self.task, user)
        with self.assertRaisesRegex(UserError, "Archive"):
            self.task.unlink()

    def test_t16_report_is_made_from_what_was_signed(self):
        self._photo(self.task)
        self._fill(self.task)
        self._sign(self.task)
        self.template.properties_definition = [
            p | {"string": "New label"} if p["name"] == "work" else p
            for p in self.template.properties_definition
        ]
        self.contact_a1.name = "Somebody Else"
        self.task.name = "Another title"
        html = self._report_html(self.task)
        self.assertIn("What was done *", html)
        self.assertIn(self.ticket_a.name, html)
        self.assertNotIn("New label", html)
        self.assertNotIn("Another title", html)
        self.assertIn(self.task.worksheet_hash, html)

    def test_t16_photo_changed_behind_the_scenes_is_not_shown_as_signed(self):
        photo = self._photo(self.task)
        self._fill(self.task)
        self._sign(self.task)
        self.assertNotIn("changed or removed", self._report_html(self.task))
        self._tamper(photo, "image", drawn_signature(size=(320, 90)))
        self.assertIn("changed or removed", self._report_html(self.task))

    def test_t16_signature_fields_cannot_be_forged(self):
        for vals in (
            {"worksheet_signed_by": "Me"},
            {"worksheet_signed_on": "2026-01-01 00:00:00"},
            {"worksheet_signature": drawn_signature()},
            {"worksheet_snapshot": "{}"},
            {"worksheet_hash": "0"},
            {"fsm_done": True},
            {"fsm_access_token": "guessed"},
            {"worksheet_version": 7},
        ):
            for user in (self.technician, self.project_manager):
                with self.assertRaises(AccessError):
                    self.task.with_user(user).write(vals)
            with self.assertRaises(AccessError), self.cr.savepoint():
                self.env["project.task"].with_user(self.project_manager).create(
                    {"name": "x", "project_id": self.project.id} | vals
                )
        with self.assertRaises(AccessError):
            self.env["project.task"].with_user(self.project_manager).with_context(
                default_worksheet_signed_by="Me", default_fsm_done=True
            ).create({"name": "x", "project_id": self.project.id})

    def test_t16_signed_twice(self):
        self._fill(self.task)
        wizard = self.env["fsm.worksheet.sign"].with_user(self.technician)
        late = wizard.create(
            {
                "task_id": self.task.id,
                "signed_by": "Second",
                "signature": drawn_signature(),
            }
        )
        self._sign(self.task)
        with self.assertRaisesRegex(UserError, "already been signed by Ada Alder"):
            late.action_sign()
        with self.assertRaisesRegex(UserError, "already been signed"):
            self.task.with_user(self.technician).action_sign_worksheet()
        self.assertEqual(self.task.worksheet_signed_by, "Ada Alder")

    @mute_logger("odoo.http")
    def test_t16_hostile_signature_data(self):
        self._fill(self.task)
        blank = (
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6"
            "kgAAAABJRU5ErkJggg=="
        )
        huge = drawn_signature(size=(9000, 9000))
        for data in (
            "",
            False,
            None,
            "not base64 ü",
            base64.b64encode(b"plain words").decode(),
            base64.b64encode(b"\x89PNG\r\n\x1a\n broken").decode(),
            base64.b64encode(b"GIF89a").decode(),
            SVG,
            blank,
            huge,
            "A" * 20 * 1024 * 1024,
            ["list"],
            {"a": 1},
            7,
        ):
            with self.assertRaises(UserError):
                self.task._sign_worksheet("Ada", data)
        for name in ("", "   ", False, None, "x" * 121):
            with self.assertRaises(UserError):
                self.task._sign_worksheet(name, drawn_signature())
        self.assertFalse(self.task.worksheet_signed_on)
        for fmt in ("PNG", "JPEG"):
            picture = self.task._clean_signature(drawn_signature(fmt))
            self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")

    def test_t16_name_with_script_is_shown_as_text(self):
        self._fill(self.task, work="<img src='file:///etc/passwd'>")
        self._sign(self.task, name="<script>alert(1)</script>")
        html = self._report_html(self.task)
        self.assertNotIn("<script>alert", html)
        self.assertNotIn("<img src='file", html)
        self.assertIn("&lt;script&gt;alert(1)", html)
        self.assertIn("&lt;script&gt;", self.ticket_a.message_ids[0].body)

    def test_t16_cancelled_visit_is_not_signed(self):
        self._fill(self.task)
        self.task.with_user(self.technician).action_fsm_cancel()
        with self.assertRaisesRegex(UserError, "cancelled"):
            self.task._sign_worksheet("Ada", drawn_signature())

    def test_x16_reopening_makes_a_version_and_keeps_the_signed_one(self):
        self._fill(self.task)
        self._sign(self.task)
        snapshot, first_hash = self.task.worksheet_snapshot, self.task.worksheet_hash
        wizard = self.env["fsm.worksheet.reopen"]
        values = {"task_id": self.task.id, "reason": "A part was left out"}
        for user in (self.other_technician, self.project_user):
            with self.assertRaises(AccessError):
                wizard.with_user(user).create(values).action_reopen()
        wizard.with_user(self.technician).create(values).action_reopen()
        self.assertFalse(self.task.worksheet_signed_on)
        self.assertFalse(self.task.worksheet_signature)
        self.assertEqual(self.task.worksheet_version, 2)
        message = self.task.message_ids.filtered("attachment_ids")[0]
        self.assertTrue(message.subtype_id.internal)
        self.assertIn("A part was left out", message.body)
        kept = message.attachment_ids.filtered(lambda a: a.name.endswith(".json"))
        self.assertEqual(kept.raw.decode(), snapshot)
        self._fill(self.task, remark="With the part")
        self._sign(self.task)
        self.assertNotEqual(self.task.worksheet_hash, first_hash)
        self.assertEqual(json.loads(self.task.worksheet_snapshot)["version"], 2)
        with self.assertRaisesRegex(UserError, "not signed"):
            self.env["project.task"].browse(self._plan().id)._reopen_worksheet("x")

    def test_copying_a_task_copies_no_signature(self):
        self._fill(self.task)
        self._sign(self.task)
        copy = self.task.copy()
        self.assertFalse(copy.worksheet_signed_on)
        self.assertFalse(copy.worksheet_signature)
        self.assertEqual(copy.worksheet_template_id, self.template)
        self.assertEqual(copy.worksheet_version, 1)

    # -- Validation ----------------------------------------------------------

    def test_s111_validate_asks_for_what_is_missing(self):
        action = self.task.with_user(self.technician).action_fsm_validate()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.technician)
            .with_context(**action["context"])
        ).save()
        self.assertIn("What was done, Hours", wizard.message)
        self.assertIn("has not signed", wizard.message)
        self.assertFalse(self.task.fsm_done)
        wizard.action_confirm()
        self.assertTrue(self.task.fsm_done)
        self.assertTrue(
            self.task.message_ids.filtered(lambda m: "has not signed" in (m.body or ""))
        )

    def test_validate_marks_done_moves_the_stage_and_tells_the_ticket(self):
        self.task.with_user(self.technician).action_fsm_start()
        self.assertEqual(
            self.task.stage_id,
            self.env.ref("helpdesk_fsm.project_task_type_in_progress"),
        )
        self._fill(self.task)
        self._sign(self.task)
        self.assertTrue(self.task.with_user(self.technician).action_fsm_validate())
        self.assertTrue(self.task.fsm_done)
        self.assertEqual(self.task.state, "1_done")
        self.assertEqual(
            self.task.stage_id, self.env.ref("helpdesk_fsm.project_task_type_done")
        )
        self.assertIn("is done", self.ticket_a.message_ids[0].body)
        self.task.with_user(self.technician).action_fsm_reopen()
        self.assertFalse(self.task.fsm_done)
        self.assertFalse(self.task.is_closed)

    def test_without_worksheet_nothing_is_asked(self):
        self.task.worksheet_template_id = False
        self.assertTrue(self.task.with_user(self.technician).action_fsm_validate())
        self.assertTrue(self.task.fsm_done)

    def test_start_and_stop(self):
        task = self.task.with_user(self.technician)
        with self.assertRaises(UserError):
            task.action_fsm_stop()
        task.action_fsm_start()
        task.action_fsm_stop()
        self.assertLessEqual(task.fsm_work_started_on, task.fsm_work_ended_on)

    # -- Report --------------------------------------------------------------

    def _report_html(self, task, user=None):
        report = self.env["ir.actions.report"].with_user(user or self.technician)
        return report._render_qweb_html("helpdesk_fsm.report_worksheet", task.ids)[
            0
        ].decode()

    def test_s111_report_of_an_empty_sheet(self):
        html = self._report_html(self.task)
        self.assertIn("Not signed.", html)
        self.assertIn("What was done", html)
        self.task.worksheet_template_id = False
        self.assertIn("no fields", self._report_html(self.task))

    def test_s111_values_stand_beside_their_labels_as_they_were_typed(self):
        self._fill(self.task, work="Motor replaced\n  cable tightened")
        rows = fromstring(self._report_html(self.task)).find_class("fsm_field")
        texts = {
            row.find_class("text-muted")[0].text: row.find_class("fsm_value")[0].text
            for row in rows
        }
        self.assertEqual(texts["What was done *"], "Motor replaced\n  cable tightened")
        self.assertEqual(texts["Remark"], "-")

    def test_s111_report_with_long_texts_and_40_photos_is_a_pdf(self):
        for number in range(40):
            self._photo(self.task, caption=f"Photo {number}", sequence=number)
        self._fill(self.task, work="Long words and letters. " * 400 + "x" * 3000)
        self._sign(self.task)
        report = self.env["ir.actions.report"].with_user(self.technician)
        pdf, kind = report.with_context(force_report_rendering=True)._render_qweb_pdf(
            "helpdesk_fsm.report_worksheet", self.task.ids
        )
        self.assertEqual(kind, "pdf")
        self.assertEqual(pdf[:5], b"%PDF-")

    def test_t12_report_of_tasks_that_are_not_ones_own_is_refused_as_a_whole(self):
        foreign = self._plan(user_ids=self.other_technician)
        portal = self._new_user(
            "after_sales_portal_a1", "base.group_portal", partner_id=self.contact_a1.id
        )
        for user, tasks in (
            (self.technician, foreign),
            (self.technician, self.task + foreign),
            (self.employee, self.task),
            (portal, self.task),
        ):
            with self.assertRaises(AccessError):
                self._report_html(tasks, user)

    def test_s111_send_shares_and_mails_the_report(self):
        self._fill(self.task)
        self.assertFalse(self.task.worksheet_shared_on)
        self.task.with_user(self.technician).action_send_worksheet()
        self.assertTrue(self.task.worksheet_shared_on)
        message = self.task.message_ids[0]
        self.assertEqual(message.partner_ids, self.contact_a1)
        self.assertIn("/my/visits/", message.body)
        self.assertEqual(len(message.attachment_ids), 1)
        self.contact_a1.email = False
        with self.assertRaisesRegex(UserError, "no email"):
            self.task.with_user(self.technician).action_send_worksheet()
