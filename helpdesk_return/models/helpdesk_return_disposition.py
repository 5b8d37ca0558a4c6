from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

CONDITIONS = [
    ("sound", "Sound"),
    ("damaged", "Damaged"),
    ("wrong", "Wrong Product"),
    ("missing", "Missing"),
]
KINDS = [
    ("restock", "Back to Stock"),
    ("scrap", "Scrap"),
    ("repair", "Repair"),
    ("supplier", "To the Supplier"),
    ("customer", "Back to the Customer"),
    ("missing", "Did Not Come"),
]
#: what is only received, or not even that: no document is made
PLAIN = ("restock", "missing")
#: what Inventory itself makes a document for
STOCK = ("scrap", "supplier", "customer")


class HelpdeskReturnDisposition(models.Model):
    """What becomes of goods that came back, and what of their price is paid back."""

    _name = "helpdesk.return.disposition"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Disposition of Returned Goods"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(comodel_name="res.company", index=True)
    kind = fields.Selection(selection=KINDS, required=True, default="restock")
    condition = fields.Selection(
        selection=CONDITIONS,
        string="Proposed For",
        help="Goods in this condition get this disposition, unless the warehouse "
        "chooses another one.",
    )
    location_id = fields.Many2one(
        comodel_name="stock.location",
        index="btree_not_null",
        domain="[('usage', '=', 'inventory' if kind == 'scrap' else 'internal'),"
        " ('company_id', 'in', (company_id, False) if company_id"
        " else allowed_company_ids + [False])]",
        help="Where the goods are put. Leave empty for where returns are received, "
        "or for scrap, the company's scrap location.",
    )
    refund_percent = fields.Float(
        string="Paid Back (%)",
        default=100.0,
        help="The share of the price that a refund of these goods proposes.",
    )

    @api.constrains("refund_percent")
    def _check_refund_percent(self):
        for disposition in self:
            if not 0 <= disposition.refund_percent <= 100:
                raise ValidationError(
                    self.env._("The share paid back must be between 0 and 100 percent.")
                )

    @api.model
    def _get_kinds(self):
        """Return the kinds that can be carried out here."""
        return {*PLAIN, *STOCK} | self.env["helpdesk.ticket"]._get_goods_kinds()

    @api.model
    def _get_offered_domain(self, company):
        """Return the domain of what can be chosen for a return of a company."""
        return (
            Domain("company_id", "in", (company.id, False))
            & (
                Domain("location_id", "=", False)
                | Domain("location_id.company_id", "in", (company.id, False))
            )
            & Domain("kind", "in", [*self._get_kinds()])
        )

    @api.model
    def _get_proposed(self, company):
        """Return ``{condition: disposition}``: what is proposed for a company."""
        proposed = {}
        for disposition in self.search(self._get_offered_domain(company)):
            proposed.setdefault(disposition.condition, disposition)
        return {
            condition: proposed.get(condition, self.browse())
            for condition, _name in CONDITIONS
        }

    def _check_usable(self, company):
        """Check the disposition of goods that a company receives.

        :raises UserError: when it can't be carried out, with one sentence
        """
        self.ensure_one()
        if (
            not self.active
            or self.kind not in self._get_kinds()
            or self.company_id not in (company, company.browse())
        ):
            raise UserError(
                self.env._(
                    "%(disposition)s can't be chosen for returns of %(company)s.",
                    disposition=self.name,
                    company=company.display_name,
                )
            )
        # sudo: compared only; a foreign location isn't named.
        place = self.sudo().location_id
        usage = "inventory" if self.kind == "scrap" else "internal"
        if place and (
            not place.active
            or place.usage != usage
            or place.company_id not in (company, company.browse())
        ):
            raise UserError(
                self.env._(
                    "The location of %(disposition)s can't be used: choose another "
                    "in Configuration > Returned Goods.",
                    disposition=self.name,
                )
            )
