from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.tests import tagged

from ..models import helpdesk_team_closing, helpdesk_ticket_spam
from .test_conversation import HelpdeskConversationCommon


@tagged("post_install", "-at_install")
class TestCron(HelpdeskConversationCommon):
    """The scheduled actions as they run: batch after batch, each one committed."""

    def _run(self, xmlid):
        """Run a scheduled action with a cursor of its own; returns its commits."""
        commits = []
        with self.enter_registry_test_mode(), self.registry.cursor() as cursor:
            env = api.Environment(cursor, SUPERUSER_ID, {})
            commit = cursor.commit

            def count():
                commits.append(1)
                commit()

            with patch.object(cursor, "commit", count):
                env.ref(f"helpdesk_after_sales.{xmlid}").ir_actions_server_id.run()
        self.env.invalidate_all()
        return len(commits)

    def test_spam_in_batches(self):
        """desk D7"""
        then = fields.Datetime.now() - timedelta(days=31)
        tickets = self.env["helpdesk.ticket"].create(
            [{"name": f"Spam {number}", "team_id": self.team.id} for number in range(3)]
        )
        tickets.write({"active": False, "spam_date": then})
        with patch.object(helpdesk_ticket_spam, "BATCH", 2):
            commits = self._run("ir_cron_delete_spam")
        self.assertGreaterEqual(commits, 2)
        self.assertFalse(tickets.exists())

    def test_closing_in_batches(self):
        """X30"""
        self.team.write(
            {"auto_close_ticket": True, "auto_close_day": 7, "auto_close_warn_day": 2}
        )
        now = fields.Datetime.now()
        tickets = self.env["helpdesk.ticket"].create(
            [
                {"name": "Lamp", "team_id": self.team.id, "partner_id": partner.id}
                for partner in (self.customer_b, self.contact_a1, self.contact_a2) * 2
            ]
        )
        tickets.write({"last_word": "us", "last_word_date": now - timedelta(days=8)})
        warned = tickets[:3]
        warned.close_warn_date = now - timedelta(days=3)
        with patch.object(helpdesk_team_closing, "BATCH", 2), self.mock_mail_gateway():
            commits = self._run("ir_cron_auto_close")
        self.assertGreaterEqual(commits, 4)
        self.assertTrue(all(warned.mapped("close_date")))
        self.assertFalse(any((tickets - warned).mapped("close_date")))
        self.assertTrue(all(tickets.mapped("close_warn_date")))

    def test_warnings_are_given_once(self):
        """X28"""
        self.team.use_sla = True
        self.env["helpdesk.sla"].create(
            {
                "name": "Today",
                "team_id": self.team.id,
                "target_type": "first_answer",
                "time": 1,
                "warning_hours": 0.9,
            }
        )
        tickets = self._begin() | self._begin("Anna <anna@aa.example.com>")
        statuses = tickets.sla_status_ids
        self.assertEqual(len(statuses), 2)
        statuses.warn_date = fields.Datetime.now() - timedelta(minutes=1)
        for _turn in range(2):
            with self.mock_mail_gateway():
                self.assertGreaterEqual(self._run("ir_cron_sla_warn"), 1)
            self.assertTrue(all(statuses.mapped("warned")))
        for ticket in tickets:
            notes = ticket.message_ids.filtered(
                lambda m: (
                    m.message_type == "user_notification"
                    and self.agent.partner_id in m.notified_partner_ids
                )
            )
            self.assertLessEqual(len(notes), 2)
