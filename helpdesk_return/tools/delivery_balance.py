import math


class DeliveryBalance:
    """What a delivery holds that can come back: made once, used by the pop-up, its
    checks and the portal (X31). Quantities are in the unit of the product.

    :ivar goods: ``{move: GoodsOut}`` of what reached the customer
    :ivar kits: ``{order line: {component: quantity per kit}}`` of the kits that the
        delivery holds with all their components (X14)
    """

    def __init__(self, goods, kits):
        self.goods = goods
        self.kits = kits

    def of_line(self, order_line):
        """Return the ``GoodsOut`` of this order line."""
        return [
            out for out in self.goods.values() if out.move.sale_line_id == order_line
        ]

    def count_kits(self, order_line, amount):
        """Return how many whole kits the components make.

        :param amount: function from ``GoodsOut`` to the quantity that counts
        """
        parts = self.kits[order_line]
        total = dict.fromkeys(parts, 0.0)
        for out in self.of_line(order_line):
            if out.move.product_id in total:
                total[out.move.product_id] += amount(out)
        kits = min(total[product] / part for product, part in parts.items())
        return math.floor(kits + 1e-6)

    def spread_kits(self, order_line, kits, free):
        """Return ``{move: quantity}``: what ``kits`` whole ones take of the moves of
        their components.

        The last move of a component gets what passes all that is free: it is refused
        there.

        :param free: ``{move: quantity}`` that can be taken
        """
        spread = {}
        moves = [out.move for out in self.of_line(order_line)]
        for product, part in self.kits[order_line].items():
            needed = part * kits
            of_product = [move for move in moves if move.product_id == product]
            for move in of_product:
                quantity = needed
                if move != of_product[-1]:
                    quantity = min(quantity, free[move])
                spread[move] = quantity
                needed -= quantity
        return spread
