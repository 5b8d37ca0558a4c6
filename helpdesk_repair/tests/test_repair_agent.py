from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestRepairAgent(HelpdeskRepairCommon):
    """What an agent without rights to Repairs and Sales does with a repair: confirm its
    draft, send its quotation, repair what was bought elsewhere (goods.md)."""

    # -- B2: the draft of a shortage -----------------------------------------

    def test_b2_repair_pressed_again_leads_to_the_draft(self):
        wizard = self._form().save()
        wizard.action_confirm_repair()
        draft = wizard.sudo().repair_id
        self.assertEqual(draft.state, "draft")
        self._send_back(self.serials[0])
        form = self._form()
        self.assertEqual(form.draft_repair_id, draft)
        action = form.save().action_confirm_draft()
        self.assertEqual(action["res_id"], draft.id)
        self.assertEqual(draft.state, "confirmed")
        self.assertEqual(self.ticket_a.repairs_count, 1)
        self.assertFalse(self._form().draft_repair_id)

    def test_b2_agents_confirm_the_draft_in_its_form(self):
        wizard = self._form().save()
        wizard.action_confirm_repair()
        repair = wizard.repair_id.with_user(self.agent)
        action = repair.action_confirm_for_ticket()
        self.assertEqual(action["res_model"], wizard._name, "still not here")
        asking = wizard.browse(action["res_id"])
        self.assertEqual(asking.sudo().repair_id, repair.sudo())
        asking.action_confirm_repair()
        self.assertEqual(repair.sudo().state, "confirmed")
        with self.assertRaises(UserError):
            repair.action_confirm_for_ticket()
        with self.assertRaises(AccessError):
            repair.with_user(self.employee).action_confirm_for_ticket()

    # -- B6: goods that were not bought here ---------------------------------

    def test_b6_goods_of_elsewhere_are_repaired_and_it_is_said(self):
        kettle = self.env["product.product"].create(
            {"name": "Foreign Kettle", "type": "consu", "is_storable": True}
        )
        form = self._form()
        self.assertFalse(form.notice)
        form.product_id = kettle
        self.assertIn(kettle.name, form.notice)
        repair = self._confirm(form.save()).sudo()
        self.assertEqual(repair.product_id, kettle)

    def test_b6_of_another_company_no(self):
        company = self.env["res.company"].create({"name": "Other Shop"})
        theirs = self.env["product.product"].create(
            {"name": "Theirs", "type": "consu", "company_id": company.id}
        )
        wizard = self._form().save()
        wizard.sudo().product_id = theirs
        with self.assertRaises(UserError):
            wizard.action_confirm_repair()

    # -- C13: the quotation --------------------------------------------------

    def _quotation(self):
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
        wizard = form.save()
        wizard.action_create_quotation()
        return wizard.sudo().repair_id

    def test_c13_agents_read_name_and_amount_and_send_it(self):
        repair = self._quotation()
        order = repair.sale_order_id
        told = str(self.ticket_a.message_ids.mapped("body"))
        amount = f"{order.amount_total:.2f}"
        self.assertIn(order.name, told)
        self.assertIn(amount, told)
        shown = repair.with_user(self.agent).helpdesk_quotation
        self.assertIn(order.name, shown)
        self.assertIn(amount, shown)
        self.assertEqual(self.ticket_a.repair_quotations_to_send, 1)
        self.ticket_a.with_user(self.agent).action_send_repair_quotations()
        self.assertEqual(order.state, "sent")
        self.assertIn(self.contact_a1, order.message_ids.partner_ids)
        self.ticket_a.invalidate_recordset(["repair_quotations_to_send"])
        self.assertFalse(self.ticket_a.repair_quotations_to_send)
        # Once more, by the repair: it was lost in their mail.
        repair.with_user(self.agent).action_send_quotation()
        order.action_confirm()
        with self.assertRaises(UserError):
            repair.with_user(self.agent).action_send_quotation()
        with self.assertRaises(AccessError):
            repair.with_user(self.employee).action_send_quotation()

    def test_c13_without_an_address_or_lines_nothing_is_sent(self):
        repair = self._quotation()
        self.contact_a1.email = False
        with self.assertRaises(UserError):
            repair.with_user(self.agent).action_send_quotation()
        self.contact_a1.email = "ada@example.com"
        repair.sale_order_id.order_line.unlink()
        with self.assertRaises(UserError):
            repair.with_user(self.agent).action_send_quotation()

    # -- C15: units of parts -------------------------------------------------

    def test_c15_parts_are_counted_as_their_product(self):
        gram = self.env.ref("uom.product_uom_gram")
        kilo = self.env.ref("uom.product_uom_kgm")
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.active = True
        self.screen.product_tmpl_id.uom_ids = [Command.set(dozen.ids)]
        for unit, allowed in ((kilo, False), (gram, False), (dozen, True)):
            with self.subTest(unit=unit.name):
                wizard = self._form().save()
                wizard.part_ids = [
                    Command.create(
                        {
                            "product_id": self.screen.id,
                            "quantity": 2,
                            "uom_id": unit.id,
                        }
                    )
                ]
                if not allowed:
                    with self.assertRaises(UserError):
                        wizard.action_create_quotation()
                    continue
                wizard.action_create_quotation()
                move = wizard.sudo().repair_id.move_ids
                self.assertEqual((move.product_uom, move.product_qty), (dozen, 24))

    # -- What follows when the quotation is refused (X18) ------------------------

    def _quote(self, if_refused="send_back"):
        form = self._form()
        form.if_refused = if_refused
        with form.part_ids.new() as part:
            part.product_id = self.screen
        wizard = form.save()
        wizard.action_create_quotation()
        return wizard.sudo().repair_id

    def test_x18_refused_quotation_sends_the_product_back(self):
        self._send_back(self.serials[0])
        repair = self._quote()
        step = self.ticket_a.step_ids
        self.assertEqual((step.waits_for, step.state), ("refusal", "waiting"))
        # As the portal does when the customer declines it.
        repair.sale_order_id._action_cancel()
        self.assertEqual((step.state, repair.state), ("done", "cancel"))
        delivery = repair.helpdesk_delivery_id
        self.assertEqual(delivery.state, "assigned")
        self.assertEqual(delivery.move_ids.lot_ids, self.serials[0])
        self.assertEqual((step.made_model, step.made_id), (delivery._name, delivery.id))
        delivery.button_validate()
        self.assertEqual(self.serials[0].location_id.usage, "customer")

    def test_x18_accepted_quotation_ends_the_plan(self):
        self._send_back(self.serials[0])
        repair = self._quote()
        repair.sale_order_id.action_confirm()
        self.assertEqual(self.ticket_a.step_ids.state, "cancelled")
        repair.sale_order_id._action_cancel()
        self.assertFalse(repair.helpdesk_delivery_id)

    def test_x18_nothing_to_send_back_is_an_activity(self):
        repair = self._quote()
        repair.sale_order_id._action_cancel()
        self.assertEqual(repair.sale_order_id.state, "cancel")
        self.assertEqual(self.ticket_a.step_ids.state, "failed")
        self.assertIn("isn't here", self.ticket_a.activity_ids.note)

    def test_x18_coupon_for_who_refuses(self):
        steps = self.env["helpdesk.after.sales.step"]
        if "coupon" not in dict(steps._get_choices()):
            self.skipTest("coupons are not installed")
        self.assertNotIn("coupon", self._form().if_refused_choices)
        self.team.use_coupons = True
        self.env["loyalty.program"].create(
            {
                "name": "Sorry",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
            }
        )
        self.assertIn("coupon", self._form().if_refused_choices)
        repair = self._quote("coupon")
        acts = self.ticket_a._get_own_acts(customer=True)
        self.assertNotIn("info", [act["style"] for act in acts], "not told before")
        repair.sale_order_id._action_cancel()
        self.assertEqual(self.ticket_a.step_ids.state, "done")
        self.assertEqual(self.ticket_a.coupons_count, 1)
