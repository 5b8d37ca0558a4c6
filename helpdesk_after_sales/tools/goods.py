from dataclasses import dataclass, field


@dataclass(eq=False)
class GoodsOut:
    """What became of one move that handed goods to a customer, in the unit of its
    product."""

    move: object
    delivered: float
    returning: float = 0.0
    returned: float = 0.0
    #: ``{lot: quantity delivered}``
    lots: dict = field(default_factory=dict)
    #: ``{lot: quantity that is on returns}``
    lots_back: dict = field(default_factory=dict)
    #: moves that bring something of it back
    moves_back: list = field(default_factory=list)

    @property
    def left(self):
        """What can still come back, never negative."""
        unit = self.move.product_id.uom_id
        return max(unit.round(self.delivered - self.returning - self.returned), 0.0)

    def get_lots_left(self, positive=False):
        """Return ``{lot: quantity}``: what of each lot isn't on a return.

        :param positive: only lots of which something is left
        """
        unit = self.move.product_id.uom_id
        left = {
            lot: min(
                max(unit.round(sent - self.lots_back.get(lot, 0.0)), 0.0), self.left
            )
            for lot, sent in self.lots.items()
        }
        if positive:
            left = {
                lot: some for lot, some in left.items() if unit.compare(some, 0) > 0
            }
        return left

    def take_back(self, move, quantity, lot=None):
        """Let ``move`` bring back as much of ``quantity`` as is left; returns the rest.

        :param lot: of a lot, if that is known: no more than was delivered of it
        """
        taken = min(quantity, self.left)
        if lot in self.lots:
            taken = min(taken, self.lots[lot] - self.lots_back.get(lot, 0.0))
        if taken <= 0:
            return quantity
        self.count_back(move, taken)
        if lot in self.lots:
            self.lots_back[lot] = self.lots_back.get(lot, 0.0) + taken
        return quantity - taken

    def take_back_elsewhere(self, quantity):
        """As :meth:`take_back`, of what came back without a move of the order."""
        taken = min(quantity, self.left)
        self.returned += taken
        return quantity - taken

    def count_back(self, move, quantity):
        """Count what ``move`` brings back, even more than was delivered."""
        if move.state == "done":
            self.returned += quantity
        else:
            self.returning += quantity
        if move not in self.moves_back:
            self.moves_back.append(move)
