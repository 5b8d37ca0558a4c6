from odoo.tests import TransactionCase

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class TestQuantity(TransactionCase):
    def test_quantities_are_written_in_the_language_of_the_user(self):
        """Review finding 10: over six digits, the decimal sign, no zeros behind."""
        german = self.env.ref("base.lang_de")
        german.active = True
        self.env["decimal.precision"].search([("name", "=", "Product Unit")]).digits = 2
        for quantity, english, german_text in (
            (2345678, "2,345,678", "2.345.678"),
            (1.5, "1.5", "1,5"),
            (3, "3", "3"),
            (-0.001, "0", "0"),
            (0.1 + 0.2, "0.3", "0,3"),
        ):
            with self.subTest(quantity=quantity):
                self.assertEqual(format_quantity(self.env, quantity), english)
                env = self.env(context={"lang": german.code})
                self.assertEqual(format_quantity(env, quantity), german_text)

    def test_only_pieces_go_without_their_unit(self):
        """22 C: nobody says "1 Units"."""
        dozen = self.env.ref("uom.product_uom_dozen")
        pieces = self.env.ref("uom.product_uom_unit")
        self.assertEqual(format_quantity(self.env, 1, pieces), "1")
        self.assertEqual(format_quantity(self.env, 1.5, dozen), f"1.5 {dozen.name}")
