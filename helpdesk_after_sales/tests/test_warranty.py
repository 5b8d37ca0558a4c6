from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common_warranty import WarrantyCommon


@tagged("post_install", "-at_install")
class TestWarranty(WarrantyCommon):
    """X8: until when the very item of a ticket is under warranty."""

    # -- What is said --------------------------------------------------------

    def test_x8_until_when_from_the_delivery_of_that_serial(self):
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        self._sold("2024-01-05 10:00:00", (self.phone, 1), serials=self.serials[1])
        ticket = self._phone_ticket()
        self.assertEqual(ticket.warranty_end, date(2027, 3, 12))
        self.assertTrue(ticket.under_warranty)
        self.assertEqual(
            ticket.with_context(lang="en_US").warranty_info,
            "Under warranty until March 12, 2027 (delivered March 12, 2025, S/N "
            "SN-0001)",
        )

    def test_x8_over(self):
        self._sold("2022-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        ticket = self._phone_ticket()
        self.assertFalse(ticket.under_warranty)
        self.assertIn("ended on March 12, 2024", ticket.warranty_info)

    def test_x8_what_counts_is_the_day_of_the_ticket(self):
        self._sold("2023-06-01 10:00:00", (self.phone, 1), serials=self.serials[0])
        last = self._phone_ticket(opened="2025-06-01 23:59:00")
        late = self._phone_ticket(opened="2025-06-02 00:01:00")
        self.assertTrue(last.under_warranty)
        self.assertFalse(late.under_warranty)

    def test_x8_of_a_line_without_serial(self):
        order = self._sold("2025-05-02 00:00:00", (self.lamp, 3))
        ticket = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        )
        self.assertEqual(ticket.warranty_end, date(2025, 11, 2))

    def test_x8_unknown_is_said_as_unknown(self):
        first = self._sold("2025-01-02 00:00:00", (self.lamp, 1))
        ticket = self._ticket(self.contact_a1, product_id=self.lamp.id)
        self.assertEqual(ticket.warranty_end, date(2025, 7, 2), "there is one only")
        self._sold("2025-05-02 00:00:00", (self.lamp, 1))
        ticket.invalidate_recordset()
        self.assertFalse(ticket.warranty_end)
        self.assertIn("Warranty unknown", ticket.warranty_info)
        self._open_on(ticket, "2025-06-01 00:00:00")
        self.assertTrue(ticket.under_warranty, "whichever it is")
        self.assertIn("July 2, 2025 or later", ticket.warranty_info)
        ticket.sale_order_id = first
        self.assertEqual(ticket.warranty_end, date(2025, 7, 2))

    def test_x8_not_delivered_is_unknown(self):
        order = self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        ticket = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        )
        self.assertFalse(ticket.warranty_end)
        self.assertIn("no delivery of Lamp", ticket.warranty_info)

    def test_x8_nothing_is_said_where_there_is_no_warranty(self):
        self._sold("2025-05-02 00:00:00", (self.desk, 1))
        ticket = self._ticket(self.contact_a1, product_id=self.desk.id)
        self.assertFalse(ticket.warranty_info)
        self.assertFalse(self._ticket(self.contact_a1).warranty_info)

    def test_x8_shown_while_the_ticket_is_filled_in(self):
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        form = Form(self.env["helpdesk.ticket"].with_user(self.agent))
        form.name = "Broken"
        form.team_id = self.team
        form.partner_id = self.contact_a1
        form.product_id = self.phone
        form.lot_id = self.serials[0]
        self.assertIn("March 12, 2027", form.warranty_info)

    # -- Days ----------------------------------------------------------------

    def test_x8_month_ends_and_leap_days(self):
        for day, duration, unit, end in (
            (date(2024, 2, 29), 1, "year", date(2025, 2, 28)),
            (date(2024, 2, 29), 4, "year", date(2028, 2, 29)),
            (date(2025, 1, 31), 1, "month", date(2025, 2, 28)),
            (date(2024, 1, 31), 1, "month", date(2024, 2, 29)),
            (date(2025, 8, 31), 6, "month", date(2026, 2, 28)),
            (date(2025, 12, 25), 2, "week", date(2026, 1, 8)),
            (date(2025, 12, 25), 10, "day", date(2026, 1, 4)),
        ):
            with self.subTest(day=day, duration=duration, unit=unit):
                self.lamp.write({"warranty_duration": duration, "warranty_unit": unit})
                order = self._sold(f"{day} 12:00:00", (self.lamp, 1))
                ticket = self._ticket(
                    self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
                )
                self.assertEqual(ticket.warranty_end, end)
                # Python agrees with PostgreSQL.
                self.assertEqual(day + relativedelta(**{f"{unit}s": duration}), end)

    def test_x8_the_day_is_that_of_the_customers_time_zone(self):
        for zone, end in (
            ("UTC", date(2027, 3, 12)),
            ("Asia/Tokyo", date(2027, 3, 13)),
            ("America/Los_Angeles", date(2027, 3, 12)),
        ):
            with self.subTest(zone=zone):
                self.contact_a1.tz = zone
                order = self._sold("2025-03-12 20:00:00", (self.phone, 1))
                self.assertTrue(order)
                self.lamp.write({"warranty_duration": 2, "warranty_unit": "year"})
                order = self._sold("2025-03-12 20:00:00", (self.lamp, 1))
                ticket = self._ticket(
                    self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
                )
                self.assertEqual(ticket.warranty_end, end)

    def test_x8_a_time_zone_that_nobody_knows_breaks_nothing(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET tz = 'Mars/Olympus' WHERE id = %s",
            [self.contact_a1.id],
        )
        self.contact_a1.invalidate_recordset()
        order = self._sold("2025-03-12 20:00:00", (self.lamp, 1))
        ticket = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        )
        self.assertEqual(ticket.warranty_end, date(2025, 9, 12))

    # -- Whose delivery ------------------------------------------------------

    def test_x8_a_serial_sold_again_begins_anew(self):
        first = self._sold(
            "2022-03-01 00:00:00", (self.phone, 1), serials=self.serials[0]
        )
        self._deliver(self._send_back(first), self.serials[0])
        self._sold(
            "2025-03-01 00:00:00",
            (self.phone, 1),
            partner=self.customer_b,
            serials=self.serials[0],
        )
        self.assertEqual(self._phone_ticket().warranty_end, date(2024, 3, 1))
        other = self._phone_ticket(partner=self.customer_b)
        self.assertEqual(other.warranty_end, date(2027, 3, 1))
        self.assertEqual(self.serials[0].warranty_end, date(2027, 3, 1))

    def test_x8_given_back_after_a_repair_does_not_begin_anew(self):
        order = self._sold(
            "2025-03-01 00:00:00", (self.phone, 1), serials=self.serials[0]
        )
        back = self._send_back(order)
        self._deliver(back, self.serials[0])
        native = self.env["stock.return.picking"].create({"picking_id": back.id})
        native.product_return_moves.quantity = 1
        self._deliver(native._create_return(), self.serials[0])
        self.assertEqual(self._phone_ticket().warranty_end, date(2027, 3, 1))
        self.assertEqual(self.serials[0].warranty_end, date(2027, 3, 1))

    def test_x8_a_delivery_without_order_after_the_sale_is_no_new_start(self):
        order = self._sold(
            "2025-03-01 00:00:00", (self.phone, 1), serials=self.serials[0]
        )
        self._deliver(self._send_back(order), self.serials[0])
        picking = self._deliver_without_order(
            self.contact_a1, self.phone, self.serials[0]
        )
        self.assertEqual(picking.state, "done")
        self.assertEqual(self._phone_ticket().warranty_end, date(2027, 3, 1))

    def test_x8_a_replacement_goes_on_with_the_warranty(self):
        order = self._sold(
            "2025-03-01 00:00:00", (self.phone, 1), serials=self.serials[0]
        )
        pickings = self._send_back(order, exchange=True)
        back = pickings.filtered("return_id")
        self._deliver(back, self.serials[0])
        self._deliver(pickings - back, self.serials[1])
        self.assertEqual((pickings - back).state, "done")
        (pickings - back).move_ids.date = "2025-08-01 00:00:00"
        ticket = self._phone_ticket(serial=1)
        self.assertEqual(ticket.warranty_end, date(2027, 3, 1))
        self.assertEqual(self.serials[1].warranty_end, date(2027, 3, 1))

    def test_x8_partial_deliveries_are_not_replacements(self):
        order = self._sell(self.contact_a1, (self.phone, 2), deliver=False)
        first = order.picking_ids
        first.move_ids.move_line_ids.unlink()
        first.move_ids.move_line_ids = [
            Command.create(
                {
                    "picking_id": first.id,
                    "product_id": self.phone.id,
                    "lot_id": self.serials[0].id,
                    "quantity": 1,
                    "location_id": first.location_id.id,
                    "location_dest_id": first.location_dest_id.id,
                }
            )
        ]
        first.move_ids.picked = True
        first._action_done()
        self._dated(order, "2025-03-01 00:00:00")
        rest = order.picking_ids - first
        self._deliver(rest, self.serials[1])
        self._dated(order, "2025-05-01 00:00:00")
        self.assertEqual(self._phone_ticket(0).warranty_end, date(2027, 3, 1))
        self.assertEqual(self._phone_ticket(1).warranty_end, date(2027, 5, 1))
        row = self._phone_ticket(None).get_purchases()["rows"][0]
        self.assertEqual(row["warranty"], "03/01/2027 – 05/01/2027")

    def test_x8_another_customers_delivery_tells_nothing(self):
        self._sold(
            "2025-03-01 00:00:00",
            (self.lamp, 1),
            partner=self.customer_b,
        )
        self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        ticket = self._ticket(self.contact_a1, product_id=self.lamp.id)
        self.assertFalse(ticket.warranty_end)

    def test_x8_per_company(self):
        other = self.env["res.company"].create({"name": "Other shop"})
        self.assertFalse(self.phone.with_company(other).warranty_duration)
        self.phone.with_company(other).write(
            {"warranty_duration": 5, "warranty_unit": "year"}
        )
        self.assertEqual(self.phone.warranty_duration, 2)
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        ticket = self._phone_ticket().sudo().with_company(other)
        self.assertEqual(ticket.warranty_end, date(2027, 3, 12))

    # -- Tab, searches, costs ------------------------------------------------

    def test_x6_x8_purchases_tab(self):
        self._sold(
            "2025-03-12 10:00:00",
            (self.phone, 1),
            (self.desk, 1),
            serials=self.serials[0],
        )
        self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        result = self._ticket(self.contact_a1).with_user(self.agent).get_purchases()
        self.assertIn("warranty", [column["name"] for column in result["columns"]])
        self.assertEqual(
            {row["product"]: row["warranty"] for row in result["rows"]},
            {"Phone": "03/12/2027", "Desk": "", "Lamp": ""},
        )

    def test_x8_tickets_under_warranty_are_found(self):
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        self._sold("2020-03-12 10:00:00", (self.phone, 1), serials=self.serials[1])
        order = self._sold("2025-05-01 00:00:00", (self.lamp, 1))
        covered = self._phone_ticket(0)
        over = self._phone_ticket(1)
        lamp = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        )
        self._open_on(lamp, "2025-06-01 00:00:00")
        plain = self._ticket(self.contact_a1)
        tickets = (
            self.env["helpdesk.ticket"]
            .with_user(self.agent)
            .with_context(allowed_company_ids=self.company.ids)
        )
        ours = [("id", "in", (covered + over + lamp + plain).ids)]
        for domain, expected in (
            ([("under_warranty", "=", True)], covered + lamp),
            ([("under_warranty", "=", False)], over + plain),
            ([("warranty_end", "=", "2027-03-12")], covered),
            ([("warranty_end", "<", "2024-01-01")], over),
            ([("warranty_end", ">=", date(2025, 11, 1))], covered + lamp),
            ([("warranty_end", "!=", False)], covered + over + lamp),
            ([("warranty_end", "=", False)], plain),
        ):
            with self.subTest(domain=domain):
                found = tickets.search(ours + domain)
                self.assertEqual(found, tickets.browse(sorted(expected.ids)[::-1]))

    def test_x8_lots_whose_warranty_ends_this_month(self):
        today = fields.Date.context_today(self.stock_user)
        sold = fields.Datetime.to_datetime(today + relativedelta(years=-2, day=15))
        self._sold(sold, (self.phone, 1), serials=self.serials[0])
        self._sold(
            sold + relativedelta(months=2), (self.phone, 1), serials=self.serials[1]
        )
        lots = self.env["stock.lot"].with_user(self.stock_user)
        month = [("warranty_end", ">=", "=1d"), ("warranty_end", "<", "=1d +1m")]
        ours = [("id", "in", self.serials.ids)]
        self.assertEqual(lots.search(ours + month), self.serials[0])
        self.assertEqual(
            lots.search(ours + [("warranty_end", "=", False)]), self.serials[2:]
        )
        self.assertEqual(self.serials[1].warranty_end.month, (today.month + 1) % 12 + 1)

    def test_x8_a_list_costs_the_same_for_any_number_of_lots(self):
        self._sold("2025-03-12 10:00:00", (self.phone, 5), serials=self.serials[:5])

        def count(lots):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            lots.mapped("warranty_end")
            return self.cr.sql_log_count - before

        count(self.serials)
        self.assertEqual(count(self.serials[:1]), count(self.serials))
        tickets = [self._phone_ticket(number) for number in range(5)]
        tickets = self.env["helpdesk.ticket"].concat(*tickets).with_user(self.agent)
        count(tickets)
        self.assertEqual(count(tickets[:1]), count(tickets))

    # -- Rights and input ----------------------------------------------------

    def test_x8_nobody_reads_the_warranty_of_a_hidden_ticket(self):
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        ticket = self._phone_ticket()
        self.team.write(
            {"privacy_visibility": "invited_internal", "member_ids": [Command.clear()]}
        )
        for user in (self.agent, self.employee):
            with self.assertRaises(AccessError):
                ticket.with_user(user).read(["warranty_end"])
            found = self.env["helpdesk.ticket"].with_user(user)
            if user == self.agent:
                domain = [("id", "=", ticket.id), ("under_warranty", "=", True)]
                self.assertFalse(found.search(domain), "no oracle by searching")

    def test_x8_bad_durations_are_refused(self):
        for duration in (-1, 36526, 2**31 - 1):
            with self.subTest(duration=duration), self.assertRaises(ValidationError):
                self.phone.warranty_duration = duration

    def test_x8_the_longest_warranty(self):
        self.phone.write({"warranty_duration": 36525, "warranty_unit": "year"})
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0])
        self.assertEqual(self._phone_ticket().warranty_end, date(2125, 3, 12))
        self.phone.write({"warranty_duration": 3, "warranty_unit": False})
        self._sold("2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[1])
        self.assertEqual(self._phone_ticket(1).warranty_end, date(2025, 6, 12))

    def test_x8_no_field_has_the_name_of_one_of_ocas_product_warranty(self):
        ours = self.env["product.template"]._fields
        self.assertFalse({"warranty", "warranty_type"} & ours.keys())
