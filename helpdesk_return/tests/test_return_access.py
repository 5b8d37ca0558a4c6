from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnAccess(HelpdeskReturnCommon):
    def test_t29_agent_without_inventory_rights_makes_and_reads_his_return(self):
        picking = self._return({self.lamp: 1}).with_user(self.agent)
        self.assertTrue(picking.read(["name", "state"]))
        self.assertTrue(picking.move_ids.read(["product_uom_qty"]))
        self.assertEqual(picking.create_uid, self.agent)
        for method in ("button_validate", "action_cancel", "unlink"):
            with self.assertRaises(AccessError):
                getattr(picking, method)()
        with self.assertRaises(AccessError):
            picking.note = "x"
        with self.assertRaises(AccessError):
            self.delivery_a.with_user(self.agent).read(["name"])

    def test_t28_link_opens_no_more_than_the_ticket(self):
        picking = self._return({self.lamp: 1})
        self.team.write(
            {
                "privacy_visibility": "invited_internal",
                "member_ids": [(6, 0, self.agent.ids)],
            }
        )
        self.env.invalidate_all()
        self.assertTrue(picking.with_user(self.agent).has_access("read"))
        self.assertFalse(picking.with_user(self.other_agent).has_access("read"))
        self.assertFalse(
            picking.move_ids.with_user(self.other_agent).has_access("read")
        )
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.other_agent).action_return()

    def test_t28_others_are_refused_through_rpc(self):
        portal = new_test_user(
            self.env,
            "after_sales_return_portal",
            groups="base.group_portal",
            partner_id=self.contact_a1.id,
        )
        for user in (self.employee, self.seller, self.stock_user, portal):
            with self.assertRaises(AccessError):
                self.ticket_a.with_user(user).action_return()
            with self.assertRaises(AccessError):
                self.env["helpdesk.return.wizard"].with_user(user).create(
                    {"helpdesk_ticket_id": self.ticket_a.id}
                )

    def test_t28_role_matrix_of_the_wizard(self):
        """Every public method that the addon adds, for every role. A new one without a
        row fails."""
        methods = {
            "helpdesk.ticket": {
                "action_return",
                "action_view_returns",
                "action_print_return_slip",
                "action_return_papers",
                "action_send_return_slip",
                "action_replacement",
                "action_view_replacements",
            },
            "helpdesk.return.wizard": {
                "action_return",
                "action_exchange",
                "action_take_all",
                "action_take_none",
            },
        }
        for model, expected in methods.items():
            added = {
                name
                for cls in type(self.env[model]).__mro__
                if cls.__module__.startswith("odoo.addons.helpdesk_return.")
                for name in vars(cls)
                if name.startswith("action_")
            }
            self.assertEqual(added, expected)
        self._return({self.lamp: 1})
        wizard = self._fill(self._form(), {self.lamp: 1}).save()
        records = {"helpdesk.ticket": self.ticket_a, "helpdesk.return.wizard": wizard}
        self.team.use_product_replacements = True
        portal = new_test_user(
            self.env,
            "after_sales_return_matrix",
            groups="base.group_portal",
            partner_id=self.customer_b.id,
        )
        accountant = self._new_user(
            "after_sales_accountant", "account.group_account_invoice"
        )
        public = self.env.ref("base.public_user")
        others = self.employee + self.seller + self.stock_user
        others += accountant + portal + public
        before = len(self.delivery_a.return_ids)
        for model, names in methods.items():
            for name in names:
                for user in others:
                    with (
                        self.subTest(user=user.login, method=name),
                        self.assertRaises(AccessError),
                    ):
                        getattr(records[model].with_user(user), name)()
        self.assertEqual(len(self.delivery_a.return_ids), before)
        for user in (self.agent, self.manager):
            for name in methods["helpdesk.ticket"]:
                with self.subTest(user=user.login, method=name):
                    getattr(self.ticket_a.with_user(user), name)()

    def test_s2_service_that_is_off_is_refused(self):
        wizard = self._fill(self._form(), {self.lamp: 1}).save()
        self.team.use_product_returns = False
        with self.assertRaisesRegex(UserError, "Returns is switched off"):
            wizard.action_return()

    def test_s21_delivery_of_another_customer_tells_nothing(self):
        foreign = self._sell(self.customer_b, (self.desk, 7)).picking_ids
        wizards = self.env["helpdesk.return.wizard"].with_user(self.agent)
        lines = self.env["helpdesk.return.wizard.line"].with_user(self.agent)
        values = {"helpdesk_ticket_id": self.ticket_a.id, "picking_id": foreign.id}
        with self.assertRaises(AccessError):
            wizards.create(values)
        # sudo: as if it had been the customer's when it was chosen.
        wizard = wizards.sudo().create(values).sudo(False)
        self.assertFalse(wizard.line_ids)
        values = {"wizard_id": wizard.id, "move_id": foreign.move_ids.id, "quantity": 1}
        with self.assertRaises(AccessError):
            lines.create(values)
        line = lines.sudo().create(values).sudo(False)
        self.assertFalse(line.delivered_quantity)
        with self.assertRaisesRegex(UserError, "Choose the delivery"):
            wizard.action_return()
        wizard.picking_id = self.delivery_a
        wizard.line_ids = line
        with self.assertRaises(UserError):
            wizard.action_return()
        self.assertFalse(foreign.return_ids)

    def test_nobody_sees_less_than_before(self):
        """The rule for helpdesk users takes nothing from users of the applications."""
        self._return({self.lamp: 1})
        pickings = self.env["stock.picking"]
        rights = self.env["ir.model.access"].search(
            [("model_id.model", "=", "stock.picking"), ("perm_read", "=", True)]
        )
        helpdesk = self.env["res.groups"].concat(
            self.env.ref(AGENT),
            self.env.ref("helpdesk_after_sales.group_helpdesk_manager"),
        )
        internal = self.env.ref("base.group_user")
        for number, group in enumerate(rights.group_id - helpdesk):
            if internal not in group.all_implied_ids:
                continue
            plain = self._new_user(f"after_sales_plain_{number}", "base.group_user")
            plain.group_ids += group
            both = self._new_user(f"after_sales_both_{number}", AGENT)
            both.group_ids += group
            for model in ("stock.picking", "stock.move", "stock.move.line"):
                records = self.env[model]
                if not records.with_user(plain).has_access("read"):
                    continue
                self.assertLessEqual(
                    set(records.with_user(plain).search([]).ids),
                    set(records.with_user(both).search([]).ids),
                    (group.full_name, model),
                )
        self.assertTrue(pickings.with_user(self.agent).search_count([]))

    def test_native_return_stays_as_it_was(self):
        native = (
            self.env["stock.return.picking"]
            .with_user(self.stock_user)
            .create({"picking_id": self.delivery_a.id})
        )
        self.assertEqual(native.product_return_moves.mapped("quantity"), [0, 0])
        native.product_return_moves[0].quantity = 5
        picking = native._create_return()
        self.assertEqual(picking.move_ids.product_uom_qty, 5, "no cap outside tickets")
        self.assertFalse(picking.helpdesk_ticket_id)

    def test_who_reads_transfers_anyway_keeps_the_forms_of_odoo(self):
        """Only agents without another right get the forms of their own (S98)."""
        form = self.env.ref("helpdesk_return.stock_picking_view_form_agent")
        pickings = self.env["stock.picking"]
        self.assertEqual(pickings.with_user(self.agent).get_view()["id"], form.id)
        seller = self._new_user("after_sales_selling_agent", AGENT)
        seller.group_ids += self.env.ref("sales_team.group_sale_salesman")
        for user in (seller, self.stock_user):
            self.assertNotEqual(pickings.with_user(user).get_view()["id"], form.id)
            self.assertNotEqual(
                self.delivery_a.with_user(user).get_formview_id(), form.id
            )

    def test_users_of_inventory_who_are_agents_too_write_any_move(self):
        """A move without a transfer (an adjustment, scrap) is theirs as before."""
        both = self._new_user("after_sales_stock_agent", AGENT)
        both.group_ids += self.env.ref("stock.group_stock_user")
        move = self.env["stock.move"].create(
            {
                "product_id": self.lamp.id,
                "product_uom_qty": 1,
                "location_id": self.env.ref("stock.stock_location_stock").id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
            }
        )
        self.assertFalse(move.picking_id)
        move.with_user(both).product_uom_qty = 2
        self.assertTrue(move.with_user(both).has_access("read"))

    # -- Branches -----------------------------------------------------------------

    def test_branch_sells_the_goods_of_its_head_office(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.desk.company_id = self.company
        self.lamp.company_id = self.company
        self.env = self.env(
            context=dict(self.env.context, allowed_company_ids=branch.ids)
        )
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", branch.id)], limit=1
        )
        agent = self._new_user(
            "branch_agent",
            AGENT,
            company_id=branch.id,
            company_ids=[Command.set(branch.ids)],
        )
        team = self.env["helpdesk.team"].create(
            {
                "name": "Branch Team",
                "company_id": branch.id,
                "member_ids": [Command.set(agent.ids)],
                "use_product_returns": True,
                "use_product_replacements": True,
                "use_foreign_returns": True,
            }
        )
        quants = self.env["stock.quant"]
        for product in self.desk, self.lamp:
            quants._update_available_quantity(product, warehouse.lot_stock_id, 10)
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer_b.id,
                "company_id": branch.id,
                "warehouse_id": warehouse.id,
                "order_line": [
                    Command.create({"product_id": self.desk.id, "product_uom_qty": 4})
                ],
            }
        )
        order.action_confirm()
        self._deliver(order.picking_ids)
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "In the branch",
                "team_id": team.id,
                "partner_id": self.customer_b.id,
                "sale_order_id": order.id,
            }
        )
        made = self._return({self.desk: 1}, ticket=ticket, user=agent, exchange=True)
        self.assertEqual(made.company_id, branch)
        # Another product, and goods from elsewhere, of the head office as well.
        form = self._fill(self._form(ticket, user=agent), {self.desk: 1})
        with form.line_ids.edit(0) as line:
            line.exchange_product_id = self.lamp
        wizard = form.save()
        wizard.action_exchange()
        quotation = self.env["sale.order"].search(
            [("order_line.product_id", "=", self.lamp.id)]
        )
        quotation = quotation.filtered(lambda order: order.company_id == branch)
        self.assertEqual(quotation.warehouse_id, warehouse)
        form = self._form(ticket, user=agent)
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                line.quantity = 0
        with form.foreign_line_ids.new() as line:
            line.product_id = self.lamp
        wizard = form.save()
        wizard.action_return()
        foreign = wizard.sudo().made_picking_ids
        self.assertEqual(foreign.picking_type_id.warehouse_id, warehouse)
        action = ticket.with_user(agent).action_replacement()
        wizard = (
            self.env["helpdesk.replacement.wizard"]
            .with_user(agent)
            .with_context(**action["context"])
            .create({})
        )
        wizard.line_ids.write({"quantity": 1, "product_id": self.lamp.id})
        wizard.action_replace()
        self.assertEqual(
            wizard.sudo().made_picking_ids.location_id.warehouse_id, warehouse
        )
