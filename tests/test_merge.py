"""Merging of tickets takes the documents of every service along."""

from test_uninstall import SERVICES

from odoo.tests import Form, tagged

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestMergeServices(HelpdeskAfterSalesCommon):
    def test_documents_of_every_service_move(self):
        kept, gone = (self._ticket(self.customer_a) for _number in range(2))
        ids = {
            "partner": self.customer_a.id,
            "program": self.env["loyalty.program"]
            .create({"name": "Sorry", "program_type": "coupons"})
            .id,
            "in": self.warehouse.in_type_id.id,
        }
        documents = [
            self.env[model].create(values(ids) | {"helpdesk_ticket_id": gone.id})
            for addon, model, values in SERVICES.values()
            if addon in self.env.registry._init_modules
        ]
        self.assertTrue(documents)
        action = (kept + gone).with_user(self.agent).action_merge()
        Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        ).save().action_merge()
        for document in documents:
            self.assertEqual(document.helpdesk_ticket_id, kept, document)
            self.assertIn("merged into", document.message_ids[0].body)
            self.assertIn(kept.ticket_ref, document.message_ids[0].body)
        # Told once, by the note of the merge: nothing was made anew.
        self.assertNotIn("was created", kept.message_ids[0].body)
