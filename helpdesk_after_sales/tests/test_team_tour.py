from odoo.tests import HttpCase, tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestTeamTour(HelpdeskAfterSalesCommon, HttpCase):
    def test_tour_manager_switches_on_and_makes_a_stage(self):
        module = self.env["ir.module.module"].create(
            {"name": "helpdesk_test", "shortdesc": "A Service", "state": "uninstalled"}
        )
        services = {"use_fsm": "base", "use_coupons": module.name}
        self.patch(
            type(self.env["helpdesk.team"]), "_after_sales_services", lambda _: services
        )
        self.start_tour(
            "/odoo/helpdesk",
            "helpdesk_manager_sets_up_a_team",
            login=self.manager.login,
        )
        self.assertTrue(self.team.use_fsm)
        self.assertFalse(self.team.use_coupons)
        stage = self.team.stage_ids.filtered(lambda s: s.name == "Waiting for Parts")
        self.assertEqual(stage.team_ids, self.team)

    def test_tour_agent_merges_two_tickets(self):
        """Issue 4, B: one matter that came in twice."""
        kept = self._ticket(self.contact_a1, name="Broken lamp")
        gone = self._ticket(self.contact_a1, name="Broken lamp, once more")
        self._ticket(self.customer_b, name="Another matter")
        gone.message_post(body="Where is my answer?", message_type="comment")
        self.start_tour(
            "/odoo/helpdesk-tickets",
            "helpdesk_agent_merges_two_tickets",
            login=self.agent.login,
        )
        self.assertEqual(gone.merged_into_id, kept)
        self.assertFalse(gone.active)
