def migrate(cr, version):
    """Moves that send goods in exchange know their ticket; so far their transfer did.

    What melted into another delivery can't be told any more.
    """
    cr.execute(
        """
        UPDATE stock_move AS move
           SET helpdesk_ticket_id = picking.helpdesk_ticket_id
          FROM stock_picking AS picking
         WHERE picking.id = move.picking_id
           AND picking.helpdesk_ticket_id IS NOT NULL
           AND picking.return_id IS NULL
           AND move.helpdesk_ticket_id IS NULL
           AND move.origin_returned_move_id IS NULL
        """
    )
