from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestRepairWarranty(HelpdeskRepairCommon):
    """X8: the pop-up proposes Under Warranty, and may be overruled with a reason."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.phone.write({"warranty_duration": 2, "warranty_unit": "year"})
        cls.phone.product_tmpl_id.action_begin_past_warranties()
        cls._deliver_on("2025-03-12 10:00:00")
        cls._open_on("2026-01-02 10:00:00")

    @classmethod
    def _deliver_on(cls, when):
        cls.order_a.picking_ids.move_ids.date = when

    @classmethod
    def _open_on(cls, when):
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE helpdesk_ticket SET create_date = %s WHERE id = %s",
            [when, cls.ticket_a.id],
        )
        cls.ticket_a.invalidate_recordset()

    def test_x10_rule_for_repairs_under_warranty(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Not free", "verdict": "refuse"})
        form = self._form()
        self.assertIn("Not free", form.helpdesk_rule_notice)
        wizard = form.save()
        with self.assertRaisesRegex(UserError, "Not free"), self.cr.savepoint():
            wizard.action_confirm_repair()
        wizard.write({"under_warranty": False, "warranty_reason": "Fell down"})
        self.assertFalse(wizard.helpdesk_rule_notice)
        repair = self._confirm(wizard).sudo()
        with self.assertRaisesRegex(UserError, "Not free"), self.cr.savepoint():
            repair.under_warranty = True

    def test_x10_asked_and_approved_as_it_was_filled_in(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Ask first", "verdict": "ask"})
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
            part.quantity = 2
        form.internal_notes = "Handle with care"
        form.save().action_confirm_repair()
        self.assertFalse(self.ticket_a.repairs_count)
        self.assertEqual(self.ticket_a.approval_ids.amount, 180)
        self.ticket_a.approval_ids.with_user(self.manager).action_approve()
        repair = self.env["repair.order"].search(
            [("helpdesk_ticket_id", "=", self.ticket_a.id)]
        )
        self.assertEqual(repair.move_ids.product_uom_qty, 2)
        self.assertEqual(
            (repair.lot_id, repair.under_warranty), (self.serials[0], True)
        )
        self.assertIn("Handle with care", repair.internal_notes)

    def test_x8_proposed_and_said(self):
        form = self._form()
        self.assertTrue(form.under_warranty)
        self.assertEqual(
            form.warranty_info,
            "Under warranty until March 12, 2027 (delivered March 12, 2025, S/N "
            "SN-0001)",
        )
        form.product_id = self.lamp
        self.assertFalse(form.under_warranty)
        self.assertFalse(form.warranty_info)

    def test_x8_a_warranty_that_ended_is_not_proposed(self):
        self._open_on("2027-03-13 10:00:00")
        form = self._form()
        self.assertFalse(form.under_warranty)
        self.assertIn("ended on March 12, 2027", form.warranty_info)

    def test_x8_of_another_serial_than_the_tickets(self):
        self._sell(self.contact_a2, (self.phone, 1), serials=self.serials[2])
        moves = self.env["stock.move.line"].search(
            [("lot_id", "=", self.serials[2].id)]
        )
        moves.move_id.filtered("picking_id.sale_id").date = "2021-05-01 10:00:00"
        form = self._form()
        form.lot_id = self.serials[2]
        self.assertFalse(form.under_warranty)
        self.assertIn("May 1, 2023", form.warranty_info)

    def test_x8_overruled_with_a_reason(self):
        self._open_on("2027-03-20 10:00:00")
        wizard = self._form().save()
        wizard.under_warranty = True
        with self.assertRaisesRegex(UserError, "ended on .* Enter why"):
            wizard.action_confirm_repair()
        wizard.warranty_reason = "  "
        with self.assertRaisesRegex(UserError, "Enter why"):
            wizard.action_confirm_repair()
        self.assertFalse(self.ticket_a.repair_ids)
        wizard.warranty_reason = "One week only <b>x</b>"
        repair = self._confirm(wizard)
        self.assertTrue(repair.under_warranty)
        for record in (repair.sudo(), self.ticket_a):
            told = str(record.message_ids.mapped("body"))
            self.assertIn("Treated as under warranty: One week only &lt;b&gt;", told)

    def test_x8_overruled_the_other_way_round(self):
        form = self._form()
        form.under_warranty = False
        form.warranty_reason = "Dropped into the sea"
        repair = self._confirm(form.save())
        self.assertFalse(repair.under_warranty)
        self.assertIn(
            "Treated as not under warranty: Dropped into the sea",
            str(self.ticket_a.message_ids.mapped("body")),
        )

    def test_x8_the_form_asks_for_the_reason(self):
        form = self._form()
        form.under_warranty = False
        with self.assertRaisesRegex(AssertionError, "warranty_reason"):
            form.save()

    def test_x8_unknown_needs_no_reason(self):
        form = self._form()
        form.product_id = self.lamp
        self.assertFalse(form.warranty_info)
        form.under_warranty = True
        self.assertTrue(self._confirm(form.save()).under_warranty)

    def test_s87_x8_proposed_warranty_makes_the_parts_free(self):
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
        wizard = form.save()
        wizard.action_create_quotation()
        self.assertEqual(wizard.repair_id.sudo().sale_order_id.amount_untaxed, 0)
