from odoo.tests import HttpCase, new_test_user, tagged

from .common import HelpdeskFsmCommon


@tagged("post_install", "-at_install")
class TestFsmTour(HelpdeskFsmCommon, HttpCase):
    """In a browser, as an agent with rights to Helpdesk only, and as a customer."""

    def test_s104_s115_s116_s117_agent_plans(self):
        self.start_tour(
            f"/odoo/helpdesk-tickets/{self.ticket_a.id}",
            "helpdesk_fsm_plan",
            login="after_sales_agent",
        )
        self.env.invalidate_all()
        self.assertEqual(
            sorted(self.ticket_a.fsm_task_ids.mapped("name")),
            ["Look at the lamp", self.ticket_a.name],
        )

    def test_s110_customer_signs_in_the_portal(self):
        new_test_user(
            self.env,
            login="visit_tour",
            groups="base.group_portal",
            partner_id=self.contact_a1.id,
        )
        task = self._plan()
        self._fill(task)
        task.worksheet_shared_on = task.create_date
        self.start_tour(
            f"/my/visits/{task.id}", "helpdesk_fsm_portal_sign", login="visit_tour"
        )
        self.env.invalidate_all()
        self.assertEqual(task.worksheet_signed_by, "Ada of the portal")


@tagged("post_install", "-at_install")
class TestFsmPhoneTour(HelpdeskFsmCommon, HttpCase):
    """In a phone-wide window, as a technician without any other right."""

    browser_size = "375x667"
    touch_enabled = True

    def test_s110_technician_fills_and_has_it_signed(self):
        self.contact_a1.phone = "+32 2 290 34 90"
        task = self._plan()
        self.start_tour(
            f"/odoo/my-visits/{task.id}",
            "helpdesk_fsm_sign",
            login="after_sales_technician",
        )
        self.env.invalidate_all()
        self.assertEqual(task.worksheet_signed_by, "Ada Alder")
        self.assertEqual(task.worksheet_properties["hours"], 1.5)
        self.assertTrue(task.fsm_work_started_on)
