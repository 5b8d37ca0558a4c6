"""Two at once, as on a real server: real cursors, real commits, and cleaned up.

What a test commits belongs to partners, a team and users of its own.
"""

import threading
import time
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.service.model import retrying
from odoo.tests import TransactionCase
from odoo.tools import mute_logger


class RaceCase(TransactionCase):
    """A test commits what it needs with :meth:`_as_root`, then lets people compete."""

    @classmethod
    def _as_root(cls, function):
        """Return what ``function`` returns of a transaction of its own."""
        with cls.registry.cursor() as cr:
            return function(api.Environment(cr, SUPERUSER_ID, {"active_test": False}))

    @classmethod
    def _remove_helpdesk(cls, env, ticket_ids, team_id, user_ids, partner_id):
        """Remove tickets, team and people, after all that hangs on them."""
        env["helpdesk.ticket"].browse(ticket_ids).unlink()
        team = env["helpdesk.team"].browse(team_id)
        stages = team.stage_ids
        team.unlink()
        stages.filtered(lambda stage: not stage.team_ids).unlink()
        users = env["res.users"].browse(user_ids)
        partners = users.partner_id
        users.unlink()
        partners.unlink()
        env["res.partner"].browse(partner_id).unlink()

    def _race(self, *runners):
        """Run ``(user id, function)`` at once, each with a cursor of its own, as the
        web server runs requests. Returns ``[result or exception]`` and the number of
        attempts."""
        barrier = threading.Barrier(len(runners), timeout=30)
        results = [None] * len(runners)
        attempts = []

        def compete(index):
            user_id, function = runners[index]
            first = True

            def attempt():
                nonlocal first
                attempts.append(index)
                # Every transaction sees the state before anybody has begun.
                # Nobody waits for ever: a statement that hangs fails the test.
                env.cr.execute("SET LOCAL statement_timeout = '30s'")
                env.cr.execute("SELECT 1")
                if first:
                    first = False
                    barrier.wait()
                return function(env)

            with self.registry.cursor() as cr:
                env = api.Environment(cr, user_id, {})
                try:
                    results[index] = retrying(attempt, env)
                    cr.commit()
                except Exception as error:
                    cr.rollback()
                    results[index] = error

        threads = [
            threading.Thread(target=compete, args=(index,), daemon=True)
            for index in range(len(runners))
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
