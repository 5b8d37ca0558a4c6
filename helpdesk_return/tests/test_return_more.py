import base64
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnSeveral(HelpdeskReturnCommon):
    """Issue 17 D: goods of several deliveries and orders come back at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_2 = cls._sell(
            cls.contact_a2, (cls.lamp, 2), (cls.phone, 1), serials=cls.serials[2]
        )
        cls.delivery_2 = cls.order_2.picking_ids

    def _search(self, text):
        ticket = self.ticket_a.with_user(self.agent)
        return ticket.search_purchases(
            "stock.picking",
            text,
            chosen={
                "sale_order_id": False,
                "product_id": False,
                "lot_id": False,
                "returnable": True,
            },
        )

    def test_deliveries_are_found_by_serial_number_and_product(self):
        ((found, label),) = self._search(self.serials[2].name)
        self.assertEqual(found, self.delivery_2.id)
        self.assertIn(self.order_2.name, label)
        self.assertIn(self.lamp.display_name, label)
        self.assertEqual(
            {found for found, _label in self._search("Lamp")},
            set((self.delivery_a | self.delivery_2).ids),
        )

    def test_one_press_makes_a_return_of_each_delivery(self):
        form = self._form()
        self.assertFalse(form.exchange_notice)
        self.assertFalse(any(line["delivery"] for line in form.line_ids._records))
        with form.line_ids.edit(0) as line:
            line.quantity = 1
        form.add_picking_id = self.delivery_2
        self.assertEqual(
            [line["quantity"] for line in form.line_ids._records],
            [1, 2, 2, 1],
            "what was typed stays",
        )
        wizard = form.save()
        self.assertEqual(
            wizard.line_ids.mapped("delivery"),
            [*[self.delivery_a.name] * 2, *[self.delivery_2.name] * 2],
        )
        wizard.action_return()
        made = wizard.sudo().made_picking_ids
        self.assertEqual(made.return_id, self.delivery_a | self.delivery_2)
        self.assertEqual(
            {
                picking.return_id: [
                    (move.product_id, move.product_uom_qty) for move in picking.move_ids
                ]
                for picking in made
            },
            {
                self.delivery_a: [(self.lamp, 1), (self.phone, 2)],
                self.delivery_2: [(self.lamp, 2), (self.phone, 1)],
            },
        )
        self.assertEqual(made.helpdesk_ticket_id, self.ticket_a)
        self.assertEqual(set(made.mapped("state")), {"assigned"})
        self.assertEqual(self.ticket_a.returns_count, 2)
        again = wizard.action_return()
        self.assertEqual(again["domain"], [("id", "in", made.ids)])

    def test_a_line_that_was_taken_out_stays_out(self):
        form = self._form()
        form.line_ids.remove(1)
        form.add_picking_id = self.delivery_2
        self.assertEqual(form.line_ids._records[0]["quantity"], 3)
        self.assertEqual(len(form.line_ids._records), 3)

    def test_all_or_nothing(self):
        form = self._form()
        form.add_picking_id = self.delivery_2
        wizard = form.save()
        wizard.line_ids[2].quantity = 3
        with self.assertRaisesRegex(UserError, "too many"):
            wizard.action_return()
        self.assertFalse(wizard.made_picking_ids)
        self.assertFalse(self.ticket_a.return_ids)

    def test_delivery_of_somebody_else_is_refused(self):
        """T3, T19: through RPC as well; the button says nothing of it."""
        foreign = self._sell(self.customer_b, (self.lamp, 1)).picking_ids
        self.assertFalse(self._search(foreign.name))
        form = self._form()
        with self.assertRaises(AccessError):
            form.add_picking_id = foreign
        wizard = self._form().save()
        wizard.sudo().line_ids[0].move_id = foreign.move_ids
        with self.assertRaises(UserError) as refusal:
            wizard.action_return()
        self.assertNotIn(foreign.name, str(refusal.exception))
        with self.assertRaises(AccessError):
            wizard.line_ids[1].move_id = foreign.move_ids.id

    def test_lines_of_the_ticket_propose_the_deliveries(self):
        """X31: a case about two orders opens with both."""
        self.ticket_a.line_ids = [
            (5, 0, 0),
            *(
                (0, 0, {"sale_line_id": line.id, "quantity": quantity})
                for line, quantity in (
                    (self.order_a.order_line[0], 3),
                    (self.order_2.order_line[0], 1),
                )
            ),
        ]
        form = self._form()
        wizard = form.save()
        self.assertEqual(
            {move.picking_id for move in wizard.sudo().line_ids.move_id},
            {self.delivery_a, self.delivery_2},
        )
        self.assertEqual(sorted(wizard.line_ids.mapped("quantity")), [0, 0, 1, 3])

    def test_each_goes_to_its_own_warehouse_unless_the_agent_says_where(self):
        other = self.env["stock.warehouse"].create({"name": "West", "code": "WEST"})
        order = self._sell(self.contact_a1, (self.desk, 1), warehouse_id=other.id)
        form = self._form()
        form.add_picking_id = order.picking_ids
        wizard = form.save()
        wizard.action_return()
        self.assertEqual(
            wizard.sudo().made_picking_ids.location_dest_id,
            self.warehouse.lot_stock_id | other.lot_stock_id,
        )


@tagged("post_install", "-at_install")
class TestReturnForeign(HelpdeskReturnCommon):
    """X22: goods that were not delivered here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_foreign_returns = True
        cls.ticket_b = cls._ticket(cls.customer_b)

    def _take_back(self, *lines, ticket=None, press="action_return"):
        form = self._form(ticket or self.ticket_b)
        for product, quantity, name in lines:
            with form.foreign_line_ids.new() as line:
                line.product_id = product
                line.quantity = quantity
                if name:
                    line.lot_name = name
        wizard = form.save()
        getattr(wizard, press)()
        return wizard.sudo().made_picking_ids.with_env(self.env)

    def test_x22_receipt_of_a_customer_without_any_delivery(self):
        picking = self._take_back(
            (self.desk, 2, None), (self.phone, 1, "OLD-1"), (self.phone, 1, "OLD-2")
        )
        self.assertEqual(picking.state, "assigned")
        self.assertEqual(picking.picking_type_code, "incoming")
        self.assertEqual(self.ticket_b.returns_count, 1)
        self.assertEqual(picking._after_sales_kind(), "Return")
        self.assertTrue(picking.helpdesk_can_process)
        rows = picking._prepare_process_rows()
        self.assertEqual(
            sorted((row["lot"].name or "", row["quantity"]) for row in rows),
            [("", 2), ("OLD-1", 1), ("OLD-2", 1)],
        )
        picking.with_user(self.stock_user)._process_return(rows)
        lots = picking.move_ids.move_line_ids.lot_id
        self.assertEqual(lots.location_id, self.warehouse.lot_stock_id)
        self.assertIn("received", self.ticket_b.message_ids[:2].mapped("body")[-1])
        self.assertFalse(self.ticket_b._get_returned_purchases(), "no refund")

    def test_x22_beside_what_was_delivered(self):
        wizard_lines = (self.desk, 1, None)
        made = self._take_back(wizard_lines, ticket=self.ticket_a)
        self.assertEqual(len(made), 2)
        self.assertEqual(made.return_id, self.delivery_a)
        foreign = made.filtered(lambda picking: not picking.return_id)
        self.assertEqual(foreign.move_ids.product_id, self.desk)
        balance = self.order_a.order_line._get_after_sales_balance()
        self.assertEqual([figures["returning"] for figures in balance.values()], [3, 2])

    def test_x22_what_cannot_be_is_refused_in_a_sentence(self):
        sold = self.serials[0].name
        for lines, words in (
            ([(self.phone, 1, self.serials[3].name)], "is already here"),
            ([(self.phone, 1, "N1"), (self.phone, 1, "N1")], "twice"),
            ([(self.phone, 2, "N1")], "quantity of 1"),
            ([(self.desk, -1, None)], "not a quantity"),
            ([(self.desk, 1e12, None)], "not a quantity"),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                self._take_back(*lines)
        with self.assertRaisesRegex(UserError, "choose its delivery"):
            self._take_back((self.phone, 1, sold), ticket=self.ticket_a)
        with self.assertRaisesRegex(UserError, "Nothing happens"):
            self._take_back((self.desk, 1, None), press="action_exchange")
        self.assertFalse(self.ticket_b.return_ids)

    def test_x22_only_where_the_team_allows_it(self):
        form = self._form(self.ticket_b)
        with form.foreign_line_ids.new() as line:
            line.product_id = self.desk
        wizard = form.save()
        self.team.use_foreign_returns = False
        with self.assertRaisesRegex(UserError, "Helpdesk administrator"):
            wizard.action_return()
        with self.assertRaisesRegex(UserError, "nothing to"):
            self.ticket_b.with_user(self.agent).action_return()


@tagged("post_install", "-at_install")
class TestReturnOtherProduct(HelpdeskReturnCommon):
    """Issue 17 D: exchange for another size, colour or model."""

    def _exchange(self, product=None, quantity=1, press="action_exchange", **values):
        form = self._form()
        with form.line_ids.edit(0) as line:
            line.quantity = quantity
            line.exchange_product_id = product or self.desk
        with form.line_ids.edit(1) as line:
            line.lot_ids.clear()
            line.quantity = 0
        for name, value in values.items():
            form[name] = value
        wizard = form.save()
        before = self.env["sale.order"].search([])
        getattr(wizard, press)()
        return wizard, self.env["sale.order"].search([]) - before

    def test_quotation_of_the_other_product_and_return_of_the_first(self):
        self.order_a.order_line[0].discount = 10
        wizard, quotation = self._exchange(quantity=2)
        self.assertEqual(
            (quotation.partner_id, quotation.state, quotation.amount_total),
            (self.contact_a1, "sent", 400),
        )
        self.assertEqual(quotation.order_line.product_id, self.desk)
        (picking,) = wizard.sudo().made_picking_ids
        self.assertEqual(picking.return_id, self.delivery_a)
        self.assertEqual(picking.move_ids.product_uom_qty, 2)
        for figure in ("400.00", "90.00", "310.00"):
            self.assertIn(figure, wizard.exchange_notice)
        # What comes back is to be credited: it isn't replaced.
        back = self.ticket_a._get_returned_purchases()
        self.assertEqual(back, {self.order_a.order_line[0]: 2})
        quotation.action_confirm()
        self.assertEqual(quotation.picking_ids.move_ids.product_id, self.desk)

    def test_credit_is_planned_where_the_team_refunds(self):
        steps = self.env["helpdesk.after.sales.step"]
        if "refund_draft" not in dict(steps._get_choices()):
            self.skipTest("refunds are not installed")
        self.team.use_credit_notes = True
        wizard, _quotation = self._exchange()
        step = self.ticket_a.step_ids
        self.assertEqual((step.service, step.state), ("refund_draft", "waiting"))
        self.assertEqual(step.res_id, wizard.sudo().made_picking_ids.id)

    def test_the_same_product_beside_another_one(self):
        form = self._form()
        with form.line_ids.edit(0) as line:
            line.exchange_product_id = self.desk
        wizard = form.save()
        wizard.action_exchange()
        made = wizard.sudo().made_picking_ids
        back = made.filtered("return_id")
        self.assertEqual(
            {(move.product_id, move.product_uom_qty) for move in back.move_ids},
            {(self.lamp, 3), (self.phone, 2)},
        )
        self.assertEqual((made - back).move_ids.product_id, self.phone)

    def test_what_cannot_be_is_refused(self):
        with self.assertRaisesRegex(UserError, "press Return for Exchange"):
            self._exchange(press="action_return")
        wizard = self._form().save()
        wizard.line_ids[0].exchange_product_id = self.service
        with self.assertRaisesRegex(UserError, "isn't sold"):
            wizard.action_exchange()
        self.assertFalse(self.ticket_a.return_ids)

    def test_in_another_currency_unit_and_language(self):
        """A customer abroad: by the dozen, with a discount, in euros and in French."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.desk.with_context(lang="fr_FR").name = "Bureau"
        self.contact_a2.lang = "fr_FR"
        other = self.env.ref("base.EUR")
        other = other if other != self.company.currency_id else self.env.ref("base.USD")
        other.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": other.id, "rate": 2.0, "company_id": self.company.id}
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": other.id}
        )
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._sell(
            self.contact_a2,
            deliver=False,
            pricelist_id=pricelist.id,
            order_line=[
                Command.create(
                    {
                        "product_id": self.lamp.id,
                        "product_uom_qty": 2,
                        "product_uom_id": dozen.id,
                        "discount": 10,
                    }
                )
            ],
        )
        self._deliver(order.picking_ids)
        self.ticket_a = self._ticket(self.contact_a2, sale_order_id=order.id)
        wizard = self._form().save()
        (line,) = wizard.line_ids
        line.quantity = 1 if line.uom_id == dozen else 12
        line.exchange_product_id = self.desk
        # Twelve lamps at 100.00 less a tenth; twelve desks at 400.00.
        for figure in ("4,800.00", "1,080.00", "3,720.00"):
            self.assertIn(figure, wizard.exchange_notice)
        self.assertIn(other.symbol, wizard.exchange_notice)
        wizard.action_exchange()
        quotation = self.env["sale.order"].search(
            [("order_line.product_id", "=", self.desk.id)], limit=1, order="id desc"
        )
        self.assertEqual((quotation.currency_id, quotation.amount_total), (other, 4800))
        self.assertIn("Bureau", quotation.order_line.name)
        self.assertEqual(quotation.order_line.product_uom_qty, 12)

    def test_product_of_another_company_is_refused(self):
        """Of two companies that the agent works for."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.agent.company_ids += company
        wizard = self._form().save()
        wizard = wizard.with_context(allowed_company_ids=[self.company.id, company.id])
        theirs = self.env["product.product"].create(
            {"name": "Theirs", "type": "consu", "company_id": company.id}
        )
        wizard.line_ids.sudo()[0].exchange_product_id = theirs
        with self.assertRaisesRegex(UserError, "isn't sold by"):
            wizard.action_exchange()
        self.team.use_foreign_returns = True
        wizard.line_ids.sudo()[0].exchange_product_id = False
        self.env["helpdesk.return.wizard.foreign"].create(
            {"wizard_id": wizard.id, "product_id": theirs.id}
        )
        with self.assertRaisesRegex(UserError, "another company"):
            wizard.action_return()
        self.assertFalse(self.ticket_a.return_ids)

    def test_nothing_is_sent_unless_the_agent_says_so(self):
        _wizard, quotation = self._exchange(send_quotation=False)
        self.assertEqual(quotation.state, "draft")


@tagged("post_install", "-at_install")
class TestReturnPapers(HelpdeskReturnCommon):
    """X24: a label that was bought elsewhere, and its tracking number."""

    PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        wizard = cls._open(cls, "action_return")
        wizard.action_return()
        cls.picking = wizard.sudo().made_picking_ids.with_env(cls.env)

    def _open(self, method, **values):
        action = getattr(self.ticket_a.with_user(self.agent), method)()
        return (
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create(values)
        )

    def _papers(self, content=PDF, name="label.pdf", **values):
        return self._open(
            "action_return_papers",
            label=base64.b64encode(content),
            label_name=name,
            **values,
        )

    def test_x24_label_is_kept_sent_and_on_the_timeline(self):
        wizard = self._papers(tracking_ref=" 1Z 999 ")
        self.assertEqual(wizard.picking_name, self.picking.name)
        self.assertFalse(wizard.can_fetch)
        wizard.action_save_and_send()
        mail = self.ticket_a.message_ids[0]
        self.assertEqual(
            sorted(mail.attachment_ids.mapped("mimetype")), ["application/pdf"] * 2
        )
        self.assertIn("label.pdf", mail.attachment_ids.mapped("name"))
        self.assertIn("1Z 999", mail.body)
        (act,) = (
            act
            for act in self.ticket_a._get_timeline(customer=True)
            if self.picking.name in act["title"]
        )
        self.assertIn("1Z 999", act["detail"])
        self.assertIn(f"/return/{self.picking.id}/label", act["more_url"])
        # The number alone: the label stays.
        self._open("action_return_papers", tracking_ref="2Z").action_save()
        name, content = self.picking._get_helpdesk_label_content()
        self.assertEqual((name, content), ("label.pdf", self.PDF))
        self.assertEqual(self.picking.helpdesk_tracking_ref, "2Z")

    def test_x24_what_is_no_label_is_refused(self):
        for content, name in ((b"<script>1</script>", "label.pdf"), (b"MZ\x90", "x")):
            with self.assertRaisesRegex(UserError, "PDF or a picture"):
                self._papers(content, name).action_save()
        with self.assertRaisesRegex(UserError, "bought elsewhere"):
            self._papers().action_fetch()
        self.picking.action_cancel()
        wizard = self.env["helpdesk.return.papers"].with_user(self.agent)
        wizard = wizard.create({"helpdesk_ticket_id": self.ticket_a.id})
        with self.assertRaisesRegex(UserError, "No return is expected"):
            wizard.action_save()

    def test_x24_only_who_works_on_the_ticket(self):
        wizard = self._papers()
        self.team.use_product_returns = False
        with self.assertRaisesRegex(UserError, "switched off"):
            wizard.action_save()
        with self.assertRaises(AccessError):
            self.picking.with_user(self.stock_user).helpdesk_tracking_ref = "x"

    def test_x24_the_carrier_makes_the_label(self):
        """With *Delivery - Stock*; none of Community's carriers makes labels of
        returns, so this one learns to."""
        if "carrier_id" not in self.picking._fields:
            self.skipTest("needs stock_delivery")
        carriers = self.registry["delivery.carrier"]

        def compute(carriers):
            carriers.can_generate_return = True

        def make(carrier, pickings, *_more):
            pickings.carrier_tracking_ref = "1Z-BACK"
            return pickings.message_post(
                body="Label",
                attachments=[(f"{carrier.get_return_label_prefix()}-1.pdf", self.PDF)],
            )

        carrier = self.env["delivery.carrier"].create(
            {"name": "Van", "product_id": self.service.id, "delivery_type": "fixed"}
        )
        with (
            patch.object(carriers, "_compute_can_generate_return", compute),
            patch.object(carriers, "fixed_get_return_label", make, create=True),
        ):
            self.assertFalse(self._papers().can_fetch)
            self.delivery_a.carrier_id = carrier
            wizard = self._open("action_return_papers")
            self.assertTrue(wizard.can_fetch)
            wizard.action_fetch()
            self.assertEqual(self.picking.carrier_id, carrier)
            self.assertEqual(self.picking.helpdesk_tracking_ref, "1Z-BACK")
            name, content = self.picking._get_helpdesk_label_content()
            self.assertEqual(content, self.PDF)
            self.assertIn(".pdf", name)
            # Made anew: the newest one counts.
            self._open("action_return_papers").action_fetch()
            # The return is received as any other: nothing is shipped for it.
            self._deliver(self.picking, self.serials[:2])
            self.assertEqual(self.picking.state, "done")

    def test_x24_the_carrier_refuses(self):
        if "carrier_id" not in self.picking._fields:
            self.skipTest("needs stock_delivery")
        carriers = self.registry["delivery.carrier"]

        def compute(carriers):
            carriers.can_generate_return = True

        def refuse(carrier, *_more):
            raise UserError(carrier.env._("The address is incomplete."))

        self.delivery_a.carrier_id = self.env["delivery.carrier"].create(
            {"name": "Van", "product_id": self.service.id, "delivery_type": "fixed"}
        )
        with (
            patch.object(carriers, "_compute_can_generate_return", compute),
            patch.object(carriers, "fixed_get_return_label", refuse, create=True),
            self.assertRaisesRegex(UserError, "incomplete"),
        ):
            self._open("action_return_papers").action_fetch()
        self.assertFalse(self.picking.helpdesk_label_name)
