"""A message that arrives while its ticket is merged (cases/rights.md, 13).

Real cursors, real commits, and cleaned up.
"""

import functools

import pytest
from race import RaceCase

from odoo.tests import new_test_user, tagged

ROUNDS = 4
AGENT = "helpdesk_after_sales.group_helpdesk_user"


@tagged("post_install", "-at_install")
class TestConcurrencyMerge(RaceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.ticket" not in cls.env:
            pytest.skip("helpdesk_after_sales is not installed")
        cls.ticket_ids = []
        cls.addClassCleanup(cls._as_root, cls._clean_up)
        cls._as_root(cls._set_up)

    @classmethod
    def _set_up(cls, env):
        agents = [
            new_test_user(env, f"merge_race_{number}", groups=AGENT)
            for number in (1, 2)
        ]
        customer = new_test_user(env, "merge_race_customer", groups="base.group_portal")
        cls.agent_ids = [agent.id for agent in agents]
        cls.customer_id = customer.id
        cls.partner_id = customer.partner_id.id
        team = env["helpdesk.team"].create(
            {"name": "Racing merges", "privacy_visibility": "portal"}
        )
        cls.team_id = team.id

    @classmethod
    def _clean_up(cls, env):
        env["helpdesk.ticket.merge"].search(
            [("ticket_ids", "in", cls.ticket_ids)]
        ).unlink()
        cls._remove_helpdesk(
            env,
            cls.ticket_ids,
            cls.team_id,
            [*cls.agent_ids, cls.customer_id],
            cls.partner_id,
        )

    def _new_tickets(self):
        def create(env):
            values = {"team_id": self.team_id, "partner_id": self.partner_id}
            tickets = env["helpdesk.ticket"].create(
                [{"name": name} | values for name in ("Kept", "Gone")]
            )
            return tickets.ids

        ids = self._as_root(create)
        self.ticket_ids.extend(ids)
        return ids

    @staticmethod
    def _merge(env, kept, gone):
        env.cr.execute("SET LOCAL statement_timeout = '30s'")
        tickets = env["helpdesk.ticket"]
        tickets.browse(gone)._merge_into(tickets.browse(kept))
        return True

    @staticmethod
    def _post(env, ticket_id, subtype):
        ticket = env["helpdesk.ticket"].browse(ticket_id)
        message = ticket.message_post(
            body="The cable is missing, too",
            message_type="comment",
            subtype_xmlid=subtype,
            attachments=[("cable.txt", b"cable")],
        )
        return message.id

    def _where(self, message_id):
        def read(env):
            message = env["mail.message"].browse(message_id)
            return message.res_id, message.attachment_ids.mapped("res_id")

        return self._as_root(read)

    def test_hole_13_a_message_during_a_merge_is_on_the_ticket_that_stays(self):
        writers = (
            (self.agent_ids[1], "mail.mt_note"),
            (self.agent_ids[1], "mail.mt_comment"),
            (self.customer_id, "mail.mt_comment"),
        )
        for user_id, subtype in writers * ROUNDS:
            kept, gone = self._new_tickets()
            results, _tries = self._race(
                (
                    self.agent_ids[0],
                    functools.partial(self._merge, kept=kept, gone=gone),
                ),
                (
                    user_id,
                    functools.partial(self._post, ticket_id=gone, subtype=subtype),
                ),
            )
            with self.subTest(user=user_id, subtype=subtype):
                self.assertIs(results[0], True)
                self.assertIsInstance(results[1], int)
                self.assertEqual(self._where(results[1]), (kept, [kept]))

    def test_hole_13_a_message_that_ends_after_the_merge_goes_along(self):
        """Not by chance: its transaction began before, and ends behind the merge."""
        kept, gone = self._new_tickets()
        with self.registry.cursor() as cr:
            cr.execute("SET LOCAL statement_timeout = '30s'")
            env = self.env(cr=cr, user=self.agent_ids[1])
            message_id = self._post(env, gone, "mail.mt_note")
            self._as_root(
                lambda root: self._merge(root(user=self.agent_ids[0]), kept, gone)
            )
            cr.commit()
        self.assertEqual(self._where(message_id), (kept, [kept]))
