from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestDatabase(TransactionCase):
    """What setup/ prepares in the database server is really used."""

    def test_trigram_indexes_are_really_made(self):
        self.cr.execute(
            "SELECT string_agg(indexdef, ' ') FROM pg_indexes"
            " WHERE tablename = 'helpdesk_ticket' AND indexdef LIKE '%gin_trgm_ops%'"
        )
        [definitions] = self.cr.fetchone()
        for column in ("name", "ticket_ref", "partner_email"):
            self.assertIn(column, definitions)

    def test_every_link_has_an_index(self):
        """A many2one of ours without an index is slow where somebody counts on it."""
        for model in self.env.values():
            if model._abstract or model._transient or not model._auto:
                continue
            for field in model._fields.values():
                ours = any(name.startswith("helpdesk_") for name in field._modules)
                if not ours or not field.store or field.type != "many2one":
                    continue
                if field.name in ("create_uid", "write_uid", "alias_id"):
                    continue
                with self.subTest(field=str(field)):
                    small = model._name.startswith("helpdesk.after.sales.reason")
                    leads = f"({field.name}," in self._get_index_definitions(model)
                    self.assertTrue(field.index or small or leads)

    def _get_index_definitions(self, model):
        self.cr.execute(
            "SELECT string_agg(indexdef, ' ') FROM pg_indexes WHERE tablename = %s",
            [model._table],
        )
        return self.cr.fetchone()[0]
