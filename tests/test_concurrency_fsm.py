"""Two at once (spec/trust.md: T2, T16): real cursors, real commits, and cleaned up."""

import base64
import functools
import io

import pytest
from PIL import Image, ImageDraw
from race import RaceCase

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

ROUNDS = 25
GROUPS = "helpdesk_after_sales.group_helpdesk_user,helpdesk_fsm.group_fsm_user"


def signature():
    picture = Image.new("RGB", (200, 80), "white")
    ImageDraw.Draw(picture).line((5, 70, 195, 5), fill="black", width=3)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


@tagged("post_install", "-at_install")
class TestConcurrencyFsm(RaceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.intervention.wizard" not in cls.env:
            pytest.skip("helpdesk_fsm is not installed")
        cls.addClassCleanup(cls._as_root, cls._clean_up)
        cls._as_root(cls._set_up)

    @classmethod
    def _set_up(cls, env):
        users = [
            new_test_user(env, f"fsm_race_{number}", groups=GROUPS) for number in (1, 2)
        ]
        partner = env["res.partner"].create({"name": "Racing customer"})
        project = env["project.project"].create(
            {"name": "Racing visits", "is_fsm": True}
        )
        template = env["fsm.worksheet.template"].create(
            {
                "name": "Racing sheet",
                "properties_definition": [
                    {"name": "work", "string": "Work", "type": "char"}
                ],
            }
        )
        team = env["helpdesk.team"].create(
            {
                "name": "Racing visits",
                "use_fsm": True,
                "fsm_project_id": project.id,
            }
        )
        ticket = env["helpdesk.ticket"].create(
            {"name": "Race", "team_id": team.id, "partner_id": partner.id}
        )
        cls.user_ids = [user.id for user in users]
        cls.partner_id, cls.project_id = partner.id, project.id
        cls.template_id, cls.team_id = template.id, team.id
        cls.ticket_id = ticket.id

    @classmethod
    def _clean_up(cls, env):
        # Signed worksheets can't be deleted otherwise.
        env.cr.execute(
            "UPDATE project_task SET worksheet_signed_on = NULL WHERE project_id = %s",
            [cls.project_id],
        )
        env["helpdesk.intervention.wizard"].search(
            [("create_uid", "in", cls.user_ids)]
        ).unlink()
        env["project.task"].search(
            [
                "|",
                ("project_id", "=", cls.project_id),
                # New users may be given to-dos to begin with.
                ("user_ids", "in", cls.user_ids),
            ]
        ).unlink()
        stages = env["project.task.type"].search([("user_id", "in", cls.user_ids)])
        stages.user_id = False  # each active user keeps one otherwise
        stages.unlink()
        cls._remove_helpdesk(
            env, cls.ticket_id, cls.team_id, cls.user_ids, cls.partner_id
        )
        env["project.project"].browse(cls.project_id).unlink()
        env["fsm.worksheet.template"].browse(cls.template_id).unlink()

    def test_t16_two_signatures_at_once(self):
        picture = signature()

        def sign(env, task_id, name):
            task = env["project.task"].browse(task_id)
            task.check_access("write")
            task._sign_worksheet(name, picture)
            return name

        def create(env):
            return (
                env["project.task"]
                .create(
                    {
                        "name": "Sign me",
                        "project_id": self.project_id,
                        "partner_id": self.partner_id,
                        "worksheet_template_id": self.template_id,
                        "user_ids": [Command.set(self.user_ids)],
                    }
                )
                .id
            )

        attempts = 0
        for _round in range(ROUNDS):
            task_id = self._as_root(create)
            results, tries = self._race(
                *(
                    (user_id, functools.partial(sign, task_id=task_id, name=name))
                    for user_id, name in zip(
                        self.user_ids, ("First", "Second"), strict=True
                    )
                )
            )
            attempts += tries
            signed_by, snapshot = self._as_root(
                lambda env, task_id=task_id: (
                    env["project.task"].browse(task_id).worksheet_signed_by,
                    env["project.task"].browse(task_id).worksheet_snapshot,
                )
            )
            self.assertEqual(results.count(signed_by), 1, results)
            self.assertIn(signed_by, snapshot)
            (refusal,) = [result for result in results if result != signed_by]
            self.assertIsInstance(refusal, UserError)
            self.assertIn(f"already been signed by {signed_by}", str(refusal))
        self.assertGreater(attempts, 2 * ROUNDS, "nobody ever met anybody")

    def test_t2_one_popup_submitted_twice_at_once_makes_one_task(self):
        def create(env):
            return (
                env["helpdesk.intervention.wizard"]
                .with_user(self.user_ids[0])
                .create({"helpdesk_ticket_id": self.ticket_id})
                .id
            )

        def submit(env, wizard_id):
            wizard = env["helpdesk.intervention.wizard"].browse(wizard_id)
            return wizard.action_create_and_view_task()["res_id"]

        for _round in range(ROUNDS):
            wizard_id = self._as_root(create)
            # A double click comes from one person.
            click = self.user_ids[0], functools.partial(submit, wizard_id=wizard_id)
            results, _tries = self._race(click, click)
            self.assertIsInstance(results[0], int, results)
            self.assertEqual(results[0], results[1])
