"""The templates are current, and five languages complete."""

import io
import re
from pathlib import Path

import polib
import pytest

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import code_translations, trans_export

ROOT = Path(__file__).parents[1]
ADDONS = sorted(path.parent.name for path in ROOT.glob("helpdesk_*/__manifest__.py"))
LANGUAGES = ["de", "es", "fr", "nl", "pt"]
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\{.*?\}\}|</?\w+|\n")


def template(addon):
    return polib.pofile(str(ROOT / addon / "i18n" / f"{addon}.pot"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("addon", ADDONS)
def test_every_language_is_complete(addon, language):
    translated = polib.pofile(str(ROOT / addon / "i18n" / f"{language}.po"))
    assert {e.msgid for e in translated} == {e.msgid for e in template(addon)}
    for entry in translated:
        assert entry.msgstr, entry.msgid
        wanted, found = (
            sorted(PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgstr)
        )
        assert found == wanted, entry.msgid


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    def test_templates_are_current(self):
        """setup/odoo i18n export -d <database> -l pot helpdesk_…"""
        for addon in ADDONS:
            with self.subTest(addon=addon):
                buffer = io.BytesIO()
                trans_export(None, [addon], buffer, "po", self.env)
                exported = polib.pofile(buffer.getvalue().decode())
                self.assertEqual(
                    {entry.msgid for entry in template(addon)},
                    {entry.msgid for entry in exported},
                )

    def test_a_german_agent_reads_german(self):
        """Sentences, fields and views, loaded as an installation loads them."""
        self.env["res.lang"]._activate_lang("de_DE")
        modules = self.env["ir.module.module"].search([("name", "in", ADDONS)])
        modules._update_translations("de_DE")
        tickets = self.env["helpdesk.ticket"].with_context(lang="de_DE")
        field = tickets.fields_get(["partner_id"])["partner_id"]
        self.assertEqual(field["string"], "Kunde")
        self.assertIn("Rückerstattung", tickets.get_view(view_type="form")["arch"])
        sentences = code_translations.get_python_translations(
            "helpdesk_after_sales", "de_DE"
        )
        self.assertTrue(sentences["Enter the name or the email of the customer."])
