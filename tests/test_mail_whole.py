"""Mail in full: what takes minutes of the conversations, and of huge mails."""

from itertools import product

import pytest

from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.test_conversation_matrix import (
    PEOPLE,
    REPLIES,
    STATES,
    ConversationMatrixCommon,
)
from odoo.addons.helpdesk_after_sales.tests.test_mail_gateway import HelpdeskMailCommon

pytestmark = pytest.mark.slow


@tagged("post_install", "-at_install")
class TestConversationWhole(ConversationMatrixCommon):
    def test_mail(self):
        """Issue 18 A: everybody, every reply, every state."""
        self._try_mails(product(PEOPLE, REPLIES, STATES))


@tagged("post_install", "-at_install")
class TestHugeMails(HelpdeskMailCommon):
    def test_t26_huge_mails(self):
        self._try_huge_mails(
            {"files": [(f"{i}.txt", b"x", "text/plain") for i in range(500)]},
            {"body": "word " * (2 * 2**20), "subtype": "plain"},
            {"Cc": ", ".join(f"p{i}@many.example.com" for i in range(10_000))},
        )
