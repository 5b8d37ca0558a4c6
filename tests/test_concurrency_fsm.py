"""Two at once (spec/trust.md: T2, T16): real cursors, real commits, and cleaned up."""

import base64
import functools
import io
import threading
import time
from unittest.mock import patch

import pytest
from PIL import Image, ImageDraw

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

ROUNDS = 25
GROUPS = "helpdesk_after_sales.group_helpdesk_user,helpdesk_fsm.group_fsm_user"


def signature():
    picture = Image.new("RGB", (200, 80), "white")
    ImageDraw.Draw(picture).line((5, 70, 195, 5), fill="black", width=3)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


@tagged("post_install", "-at_install")
class TestConcurrencyFsm(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.intervention.wizard" not in cls.env:
            pytest.skip("helpdesk_fsm is not installed")
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            users = [
                new_test_user(env, f"fsm_race_{number}", groups=GROUPS)
                for number in (1, 2)
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
        cls.addClassCleanup(cls._clean_up)

    @classmethod
    def _clean_up(cls):
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            # Signed worksheets can't be deleted otherwise.
            cr.execute(
                "UPDATE project_task SET worksheet_signed_on = NULL"
                " WHERE project_id = %s",
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
            env["helpdesk.ticket"].browse(cls.ticket_id).unlink()
            env["helpdesk.team"].browse(cls.team_id).unlink()
            env["project.project"].browse(cls.project_id).unlink()
            env["fsm.worksheet.template"].browse(cls.template_id).unlink()
            users = env["res.users"].browse(cls.user_ids)
            partners = users.partner_id + env["res.partner"].browse(cls.partner_id)
            stages = env["project.task.type"].search([("user_id", "in", users.ids)])
            stages.user_id = False  # each active user keeps one otherwise
            stages.unlink()
            users.unlink()
            partners.unlink()

    def _as_root(self, function):
        with self.registry.cursor() as cr:
            return function(api.Environment(cr, SUPERUSER_ID, {}))

    def _race(self, *functions):
        """Run the functions at once, each with a cursor of its own, as the web server
        runs requests. Returns ``[result or exception]`` and the number of attempts."""
        barrier = threading.Barrier(len(functions), timeout=30)
        results = [None] * len(functions)
        attempts = []

        def compete(index):
            first = True

            def attempt():
                nonlocal first
                attempts.append(index)
                # Every transaction sees the state before anybody has begun.
                env.cr.execute("SELECT 1")
                if first:
                    first = False
                    barrier.wait()
                return functions[index](env)

            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.user_ids[index], {})
                try:
                    results[index] = retrying(attempt, env)
                    cr.commit()
                except Exception as error:
                    cr.rollback()
                    results[index] = error

        threads = [
            threading.Thread(target=compete, args=(index,), daemon=True)
            for index in range(len(functions))
        ]
        # The random pauses between attempts prove nothing: shortened.
        sleep = time.sleep
        with (
            patch("odoo.service.model.time.sleep", lambda pause: sleep(pause / 50)),
            mute_logger("odoo.sql_db"),
        ):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertFalse(any(thread.is_alive() for thread in threads), "a deadlock")
        return results, len(attempts)

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
                functools.partial(sign, task_id=task_id, name="First"),
                functools.partial(sign, task_id=task_id, name="Second"),
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
            self.assertIn(f"already signed, by {signed_by}", str(refusal))
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
            # A double click comes from one person.
            env = env(user=self.user_ids[0])
            wizard = env["helpdesk.intervention.wizard"].browse(wizard_id)
            return wizard.action_create_and_view_task()["res_id"]

        for _round in range(ROUNDS):
            wizard_id = self._as_root(create)
            submits = functools.partial(submit, wizard_id=wizard_id)
            results, _tries = self._race(submits, submits)
            self.assertIsInstance(results[0], int, results)
            self.assertEqual(results[0], results[1])
