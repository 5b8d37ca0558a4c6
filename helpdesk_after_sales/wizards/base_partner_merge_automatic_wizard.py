from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Keep the tickets of merged contacts visible to exactly who they belong to.

        Odoo puts the remaining contact into every column, by SQL: as the commercial
        entity of a ticket, too, which it need not be.
        """
        # sudo: every ticket of these contacts; who merges may see none of them.
        tickets = self.env["helpdesk.ticket"].sudo().with_context(active_test=False)
        entities = {
            ticket: ticket.commercial_partner_id
            for ticket in tickets.search([("partner_id", "in", src_partners.ids)])
        }
        result = super()._update_foreign_keys(src_partners, dst_partner)
        tickets = tickets.search([("partner_id", "=", dst_partner.id)])
        self.env.add_to_compute(tickets._fields["commercial_partner_id"], tickets)
        for ticket, entity in entities.items():
            if entity not in src_partners | ticket.commercial_partner_id:
                # The company of the merged contact isn't the customer any more.
                ticket._forget_customer(entity, {})
        return result
