from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestRepairWizard(HelpdeskRepairCommon):
    def test_s79_s80_button_opens_the_form(self):
        action = self.ticket_a.with_user(self.agent).action_repair()
        self.assertEqual(action["name"], "Repair Reference")
        self.assertEqual(action["context"]["dialog_size"], "extra-large")

    def test_s81_s83_s88_s89_s90_filled_from_the_ticket(self):
        form = self._form()
        self.assertEqual(form.partner_id, self.contact_a1)
        self.assertEqual(form.product_id, self.phone)
        self.assertEqual(form.lot_id, self.serials[0])
        self.assertEqual(form.user_id, self.agent)
        self.assertAlmostEqual(
            form.schedule_date, fields.Datetime.now(), delta=timedelta(minutes=5)
        )
        form.partner_id = self.contact_a2
        self.assertEqual(form.save().partner_id, self.contact_a2)

    def test_s82_s84_through_rpc_the_rest_is_filled_from_the_ticket(self):
        wizards = self.env["helpdesk.repair.wizard"].with_user(self.agent)
        wizard = wizards.create(
            {"helpdesk_ticket_id": self.ticket_a.id, "product_id": self.lamp.id}
        )
        self.assertEqual(wizard.partner_id, self.contact_a1)
        self.assertEqual(wizard.product_id, self.lamp)
        self.assertFalse(wizard.lot_id)

    def test_s84_s85_another_product_drops_the_lot(self):
        form = self._form()
        form.product_id = self.lamp
        self.assertFalse(form.lot_id)

    def test_s84_services_are_not_repaired(self):
        self._sell(self.contact_a1, (self.service, 1))
        wizard = self._form().save()
        wizard.product_id = self.service
        with self.assertRaisesRegex(UserError, "Only goods"):
            wizard.action_confirm_repair()

    def test_s93_s94_s95_confirm_with_parts_and_notes(self):
        form = self._form()
        form.internal_notes = "<p>Careful</p>"
        form.schedule_date = fields.Datetime.now() + timedelta(days=2)
        for kind, product in (("add", self.screen), ("remove", self.lamp)):
            with form.part_ids.new() as part:
                part.type = kind
                part.product_id = product
                part.quantity = 2
        repair = self._confirm(form.save())
        self.assertRecordValues(
            repair,
            [
                {
                    "state": "confirmed",
                    "partner_id": self.contact_a1.id,
                    "product_id": self.phone.id,
                    "lot_id": self.serials[0].id,
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "company_id": self.company.id,
                    "create_uid": self.agent.id,
                }
            ],
        )
        self.assertEqual(
            [
                (move.repair_line_type, move.product_id, move.product_uom_qty)
                for move in repair.move_ids
            ],
            [("add", self.screen, 2), ("remove", self.lamp, 2)],
        )
        self.assertIn("Careful", repair.internal_notes)
        self.assertIn("was confirmed", self.ticket_a.message_ids[0].body)

    def test_s95_missing_stock_is_said_and_going_on_works(self):
        wizard = self._form().save()
        action = wizard.action_confirm_repair()
        self.assertEqual(action["res_model"], wizard._name, "the phone is not here yet")
        self.assertTrue(wizard.shortage)
        self.assertEqual(wizard.repair_id.sudo().state, "draft")
        wizard.action_confirm_repair()
        self.assertEqual(wizard.repair_id.sudo().state, "confirmed")
        self.assertEqual(self.ticket_a.repairs_count, 1)

    def test_s87_under_warranty_the_parts_cost_nothing(self):
        form = self._form()
        form.under_warranty = True
        with form.part_ids.new() as part:
            part.product_id = self.screen
        wizard = form.save()
        wizard.action_create_quotation()
        self.assertEqual(wizard.repair_id.sudo().sale_order_id.amount_untaxed, 0)

    def test_s96_quotation(self):
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
        wizard = form.save()
        action = wizard.action_create_quotation()
        repair = wizard.repair_id.sudo()
        order = repair.sale_order_id
        self.assertEqual(order.order_line.product_id, self.screen)
        self.assertEqual(order.amount_untaxed, 90)
        self.assertEqual(action["res_model"], "repair.order", "no rights to Sales")
        order.action_confirm()
        told = str(self.ticket_a.message_ids.mapped("body"))
        self.assertIn("was accepted", told)

    def test_s96_who_may_read_quotations_gets_it(self):
        user = self._new_user(
            "after_sales_repair_seller", f"{AGENT},sales_team.group_sale_salesman"
        )
        action = self._form(user=user).save().action_create_quotation()
        self.assertEqual(action["res_model"], "sale.order")

    def test_s91_s92_existing_and_new_tags(self):
        tags = self.env["repair.tags"].with_user(self.agent)
        tag = tags.create({"name": "Screen broken"})
        form = self._form()
        form.tag_ids.add(tag)
        self.assertEqual(self._confirm(form.save()).tag_ids, tag)

    def test_s86_return_of_another_customer_is_refused(self):
        other = self._sell(self.customer_b, (self.phone, 1), serials=self.serials[3])
        back = self._return_all(other.picking_ids)
        wizard = self._form().save()
        wizard.sudo().picking_id = back
        with self.assertRaisesRegex(UserError, "is not a return"):
            wizard.action_confirm_repair()

    def test_s86_return_is_offered_and_linked(self):
        back = self._return_all(self.order_a.picking_ids)
        offered = self.ticket_a.with_user(self.agent).search_purchases(
            "stock.picking", chosen={"product_id": self.phone.id, "returned": True}
        )
        self.assertEqual([id_ for id_, _name in offered], back.ids)
        form = self._form()
        form.picking_id = back
        with form.part_ids.new() as part:
            part.product_id = self.screen
        repair = self._confirm(form.save())
        self.assertEqual(repair.picking_id, back)
        self.assertFalse(repair.move_ids.picking_id, "no leak into the parts")

    def _return_all(self, delivery):
        native = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        for line in native.product_return_moves:
            line.quantity = 1
        return native._create_return()

    def test_bad_input_is_refused_in_a_sentence(self):
        cases = (
            ({"product_id": False}, "Choose the product"),
            ({"partner_id": self.customer_b.id}, "must belong to Alder"),
            ({"lot_id": self.serials[4].id}, "was not delivered"),
            ({"part_ids": [self._part(0)]}, "enter the quantity"),
            ({"part_ids": [self._part(-1)]}, "enter the quantity"),
        )
        for values, words in cases:
            wizard = self._form().save()
            wizard.sudo().write(values)
            with self.assertRaisesRegex(UserError, words):
                wizard.action_confirm_repair()
        self.assertFalse(self.ticket_a.repair_ids)

    def _part(self, quantity, product=None):
        product = product or self.screen
        return Command.create({"product_id": product.id, "quantity": quantity})

    def test_bad_input_services_as_parts(self):
        wizard = self._form().save()
        wizard.part_ids = [self._part(1, self.service)]
        with self.assertRaisesRegex(UserError, "added to the quotation"):
            wizard.action_confirm_repair()

    def test_bad_input_scrapped_serial(self):
        back = self._send_back(self.serials[0])
        self.assertEqual(back.state, "done")
        scrap = self.env["stock.scrap"].create(
            {
                "product_id": self.phone.id,
                "lot_id": self.serials[0].id,
                "scrap_qty": 1,
                "location_id": back.location_dest_id.id,
            }
        )
        self.assertTrue(scrap.action_validate())
        self.assertEqual(scrap.state, "done")
        wizard = self._form().save()
        with self.assertRaisesRegex(UserError, "SN-0001 was scrapped"):
            wizard.action_confirm_repair()
        self.assertFalse(self.ticket_a.repair_ids)

    def test_bad_input_archived_or_foreign_responsible(self):
        other = self.env["res.company"].create({"name": "Other shop"})
        foreigner = self._new_user(
            "after_sales_repair_foreigner",
            AGENT,
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        wizard = self._form().save()
        self.other_agent.active = False
        for user in (self.other_agent, foreigner):
            wizard.sudo().user_id = user
            with self.assertRaisesRegex(UserError, "does not work for"):
                wizard.action_confirm_repair()
        self.assertFalse(self.ticket_a.repair_ids)

    def test_bad_input_no_place_for_repairs(self):
        operation = self.warehouse.repair_type_id
        self.env.cr.execute(
            "UPDATE stock_picking_type SET default_product_location_src_id = NULL "
            "WHERE id = %s",
            [operation.id],
        )
        operation.invalidate_recordset()
        wizard = self._form().save()
        with self.assertRaisesRegex(UserError, "has no location for repairs"):
            wizard.action_confirm_repair()
        self.assertFalse(self.ticket_a.repair_ids)

    def test_the_operation_is_that_of_the_tickets_company(self):
        """Also for an agent who is at home in another company."""
        other = self.env["res.company"].create({"name": "Other shop"})
        self.env["stock.warehouse"].sudo().search([("company_id", "=", other.id)])
        both = self._new_user(
            "after_sales_repair_both",
            AGENT,
            company_id=other.id,
            company_ids=[Command.set((other + self.company).ids)],
        )
        ticket = self.ticket_a.with_user(both).with_context(
            allowed_company_ids=(other + self.company).ids
        )
        action = ticket.action_repair()
        wizard = (
            self.env[action["res_model"]]
            .with_user(both)
            .with_context(**action["context"])
            .create({})
        )
        repair = self._confirm(wizard).sudo()
        self.assertEqual(repair.company_id, self.company)
        self.assertEqual(repair.picking_type_id, self.warehouse.repair_type_id)

    def test_s85_lots_of_others_are_not_offered(self):
        self._sell(self.customer_b, (self.phone, 1), serials=self.serials[3])
        offered = self.ticket_a.with_user(self.agent).search_purchases(
            "stock.lot", chosen={"product_id": self.phone.id}
        )
        self.assertEqual({id_ for id_, _name in offered}, set(self.serials[:2].ids))

    def test_s96_labour_is_added_to_the_quotation_as_in_odoo(self):
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
        user = self._new_user(
            "after_sales_repair_labour", f"{AGENT},sales_team.group_sale_salesman"
        )
        wizard = form.save().with_user(self.agent)
        wizard.action_create_quotation()
        repair = wizard.repair_id.sudo()
        order = repair.sale_order_id
        order.user_id = user
        order.with_user(user).order_line = [
            Command.create({"product_id": self.service.id, "product_uom_qty": 2})
        ]
        order.with_user(user).action_confirm()
        self.assertEqual(order.amount_untaxed, 90 + 2 * 80)
        self.assertEqual(repair.move_ids.product_id, self.screen)

    def test_s95_what_the_ticket_hears(self):
        """Confirmed, started, done, and the quotation accepted, each with a link."""
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
        wizard = form.save()
        wizard.action_create_quotation()
        repair = wizard.repair_id.sudo()
        repair.sale_order_id.action_confirm()
        wizard.action_confirm_repair()
        repair._action_repair_confirm()
        repair.action_repair_start()
        repair.action_repair_end()
        told = self.ticket_a.message_ids.sorted("id").mapped("body")
        for words in (
            "was created",
            "was accepted",
            "was confirmed",
            "was started",
            "is done",
        ):
            with self.subTest(words=words):
                [sentence] = [body for body in told if words in body]
                self.assertIn('data-oe-model="repair.order"', sentence)
                self.assertNotIn("&lt;a", sentence)

    def test_s95_made_and_confirmed_is_one_line_on_each_side(self):
        self._send_back(self.serials[0])
        before = self.ticket_a.message_ids
        wizard = self._form().save()
        wizard.action_confirm_repair()
        repair = wizard.repair_id.sudo()
        self.assertEqual(repair.state, "confirmed")
        [told] = self.ticket_a.message_ids - before
        self.assertIn("was created and confirmed", told.body)
        ticket_link = f'data-oe-id="{self.ticket_a.id}"'
        lines = [body for body in repair.message_ids.mapped("body") if body]
        self.assertEqual([ticket_link in line for line in lines], [True])

    def test_s95_a_repair_that_was_made_elsewhere_is_not_said_to_be_confirmed(self):
        self._send_back(self.serials[0])
        repair = self._confirm(self._form().save()).sudo()
        other = self._ticket(self.contact_a1)
        repair.helpdesk_ticket_id = other
        self.assertIn("was created", other.message_ids[0].body)
        self.assertNotIn("confirmed", other.message_ids[0].body)

    def test_x5_reason(self):
        self.team.require_reason = True
        reason = self.env.ref("helpdesk_after_sales.reason_wear")
        form = self._form()
        form.helpdesk_reason_id = reason
        self.assertEqual(self._confirm(form.save()).helpdesk_reason_id, reason)

    def test_s97_several_repairs_and_cancelled_ones(self):
        first = self._confirm(self._form().save())
        second = self._confirm(self._form().save())
        second.action_repair_cancel()
        self.assertIn("was cancelled", self.ticket_a.message_ids[0].body)
        action = self.ticket_a.with_user(self.agent).action_view_repairs()
        found = self.env["repair.order"].with_user(self.agent).search(action["domain"])
        self.assertEqual(found, first + second)

    def test_s98_s99_maker_reads_the_repair_and_changes_nothing(self):
        form = self._form()
        with form.part_ids.new() as part:
            part.product_id = self.screen
        repair = self._confirm(form.save())
        mine = repair.with_user(self.agent)
        view = self.env.ref("helpdesk_repair.repair_order_view_form_agent")
        self.assertEqual(mine.get_formview_id(), view.id)
        self.assertTrue(mine.read(["name", "state", "internal_notes"]))
        self.assertEqual(mine.move_ids.mapped("product_uom_qty"), [1])
        html = (
            self.env["ir.actions.report"]
            .with_user(self.agent)
            ._render_qweb_html("repair.action_report_repair_order", mine.ids)[0]
        )
        self.assertIn(b"Screen", html)
        for values in ({"state": "done"}, {"internal_notes": "x"}):
            with self.assertRaises(AccessError):
                mine.write(values)
        with self.assertRaises(AccessError):
            mine.action_repair_cancel()

    def test_t28_another_teams_repair_stays_closed(self):
        repair = self._confirm(self._form().save())
        self.team.write(
            {
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.set(self.agent.ids)],
            }
        )
        self.env.invalidate_all()
        self.assertTrue(repair.with_user(self.agent).has_access("read"))
        self.assertFalse(repair.with_user(self.other_agent).has_access("read"))
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.other_agent).action_repair()

    def test_t28_others_are_refused_through_rpc(self):
        portal = new_test_user(
            self.env,
            "after_sales_repair_portal",
            groups="base.group_portal",
            partner_id=self.contact_a1.id,
        )
        for user in (self.employee, self.seller, self.stock_user, portal):
            with self.assertRaises(AccessError):
                self.ticket_a.with_user(user).action_repair()
            with self.assertRaises(AccessError):
                self.env["helpdesk.repair.wizard"].with_user(user).create(
                    {"helpdesk_ticket_id": self.ticket_a.id}
                )
        with self.assertRaises(AccessError):
            self._form().save().action_open_form()

    def test_open_form_makes_the_draft_for_users_of_repairs(self):
        user = self._new_user("after_sales_workshop", f"{AGENT},stock.group_stock_user")
        action = self._form(user=user).save().action_open_form()
        repair = self.env["repair.order"].browse(action["res_id"])
        self.assertEqual(repair.state, "draft")
        self.assertEqual(action["views"], [(False, "form")])

    def test_nobody_sees_less_than_before(self):
        repair = self.env["repair.order"].create({"product_id": self.lamp.id})
        both = self._new_user("after_sales_both", f"{AGENT},stock.group_stock_user")
        self.assertTrue(repair.with_user(both).has_access("write"))
        # Also of moves: of a delivery, and of a part.
        moves = self.order_a.picking_ids.move_ids + self.env["stock.move"].create(
            {
                "repair_id": repair.id,
                "repair_line_type": "add",
                "product_id": self.screen.id,
                "product_uom_qty": 1,
            }
        )
        for operation in ("read", "write"):
            self.assertFalse(moves.with_user(both)._check_access(operation))
        self.assertFalse(moves.with_user(self.agent).has_access("read"))
        self.assertFalse(repair.with_user(self.agent).has_access("read"))

    def test_t2_second_click_makes_no_second_repair(self):
        wizard = self._form().save()
        first = self._confirm(wizard)
        self.assertEqual(self._confirm(wizard), first)
        wizard.action_create_quotation()
        self.assertEqual(self.ticket_a.repair_ids, first)

    def test_s2_service_that_is_off_is_refused(self):
        wizard = self._form().save()
        self.team.use_product_repairs = False
        with self.assertRaisesRegex(UserError, "Repairs is switched off"):
            wizard.action_confirm_repair()
