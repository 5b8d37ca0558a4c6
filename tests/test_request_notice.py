from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestRequestNotice(TransactionCase):
    """X9: whatever pop-up answers a request of a customer says so, at its top."""

    def test_x9_every_pop_up_of_a_ticket_tells_the_request(self):
        mixin = "helpdesk.after.sales.wizard"
        names = self.env.registry.descendants([mixin], "_inherit") - {mixin}
        self.assertTrue(names)
        for name in names:
            views = self.env["ir.ui.view"].search(
                [("model", "=", name), ("type", "=", "form"), ("mode", "=", "primary")]
            )
            told = [
                view
                for view in views
                if self._get_notice(name, view) == "not helpdesk_request_summary"
            ]
            with self.subTest(model=name):
                self.assertTrue(told)
                for view in views.filtered(
                    lambda view: "helpdesk_ticket_id" in view.arch
                ):
                    self.assertIn(view, told)

    def _get_notice(self, name, view):
        """Return when the first thing of a form, if it is the notice, isn't shown."""
        arch, _view = self.env[name]._get_view(view.id, "form")
        first = arch[0]
        if first.xpath("field[@name='helpdesk_request_summary']"):
            self.assertEqual(first.get("class"), "alert alert-info")
            return first.get("invisible")
        return None
