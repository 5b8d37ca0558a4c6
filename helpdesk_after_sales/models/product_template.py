from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductTemplate(models.Model):
    _inherit = "product.template"

    warranty_duration = fields.Integer(
        string="Warranty",
        company_dependent=True,
        # Read with the product, not with the accounts of it: nearly every pop-up asks.
        prefetch=True,
        help="How long the product is under warranty, from the day of its delivery. "
        "Zero: nothing is said about a warranty.",
    )
    warranty_unit = fields.Selection(
        selection=[
            ("day", "Days"),
            ("week", "Weeks"),
            ("month", "Months"),
            ("year", "Years"),
        ],
        company_dependent=True,
        prefetch=True,
        help="Empty: months.",
    )

    @api.constrains("warranty_duration")
    def _check_warranty_duration(self):
        # The two fields may be written one after the other: only a slip of the keyboard
        # is refused here, and nothing lasts longer than a hundred years.
        for product in self:
            if not 0 <= product.warranty_duration <= 36525:
                raise ValidationError(
                    self.env._(
                        "%(product)s: a warranty lasts between one day and a hundred "
                        "years.",
                        product=product.display_name,
                    )
                )

    @api.model
    def take_over_oca_warranties(self):
        """Fill the warranty of products from OCA's ``product_warranty``, for the
        current company, where none is set; returns the number of products.

        Both addons may stay installed: no field of theirs has the name of one of ours.

        :raises AccessError: for users who may not write products
        """
        self.check_access("write")
        if not {"warranty", "warranty_type"} <= self._fields.keys():
            return 0
        products = self.with_context(active_test=False).search(
            [("warranty", ">", 0), ("warranty_duration", "in", (0, False))]
        )
        for (duration, unit), same in products.grouped(
            lambda product: (product.warranty, product.warranty_type)
        ).items():
            same.write({"warranty_duration": duration, "warranty_unit": unit})
        return len(products)
