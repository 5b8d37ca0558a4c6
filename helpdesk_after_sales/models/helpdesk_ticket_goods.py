from odoo import api, models


class HelpdeskTicket(models.Model):
    """What becomes of goods that came back (X17): the addon that receives them asks,
    those that repair or pay back answer; none knows another."""

    _inherit = "helpdesk.ticket"

    @api.model
    def _get_goods_kinds(self):
        """Return the kinds of dispositions that :meth:`_take_goods` makes documents
        for, as a set: ``{"repair"}`` with the addon of repairs."""
        return set()

    def _take_goods(self, kind, goods):
        """Make the document for goods that came back on this ticket; returns it.

        Called with ``sudo()``, after the check that the user may receive them.

        :param kind: one of :meth:`_get_goods_kinds`
        :param goods: ``product``, ``lot``, ``quantity`` in the unit of the product,
            ``picking`` (the return), ``location`` (where they are)
        """
        raise NotImplementedError(kind)

    def _release_goods(self, kind, document):
        """Withdraw what :meth:`_take_goods` has made: something else was decided.
        Called with ``sudo()``.

        :raises UserError: when it is too late, with one sentence
        """
        raise NotImplementedError(kind)

    def _get_money_given(self, _lines):
        """Return the names of the documents that have paid something of these order
        lines back on this ticket, drafts not among them. Called with ``sudo()``."""
        self.ensure_one()
        return []
