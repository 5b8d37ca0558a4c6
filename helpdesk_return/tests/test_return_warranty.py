from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnWarranty(HelpdeskReturnCommon):
    """X32: a replacement goes on with the warranty of what it replaces, unless the team
    of its ticket lets it begin anew when it is delivered."""

    def _exchange(self):
        """Return an exchange of a phone, delivered a year after the sale."""
        self.phone.write({"warranty_duration": 2, "warranty_unit": "year"})
        self.phone.product_tmpl_id.action_begin_past_warranties()
        self.assertTrue(self.serials[0].warranty_end)
        later = fields.Datetime.add(fields.Datetime.now(), years=1)
        with freeze_time(later):
            pickings = self._return(
                {self.phone: 1}, serials=self.serials[0], exchange=True
            )
            back = pickings.filtered("return_id")
            self._deliver(back, self.serials[0])
            self._deliver(pickings - back, self.serials[2])
        return later.date()

    def test_x32_goes_on(self):
        self._exchange()
        self.assertEqual(self.serials[2].warranty_end, self.serials[0].warranty_end)
        self.team.warranty_restarts = True
        self.env.invalidate_all()
        self.assertEqual(self.serials[2].warranty_end, self.serials[0].warranty_end)

    def test_x32_begins_anew(self):
        self.team.warranty_restarts = True
        day = self._exchange()
        self.assertEqual(self.serials[2].warranty_start, day)
        self.assertEqual(self.serials[2].warranty_end, fields.Date.add(day, years=2))
