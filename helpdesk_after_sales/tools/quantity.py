from odoo.tools.misc import formatLang


def format_quantity(env, quantity, unit=None):
    """Return ``quantity`` as the user's language writes it: "1,234.5", "3".

    As many decimals as are needed, at most those of the precision *Product Unit*.

    :param unit: told as well, "3 Dozens", unless it is pieces: nobody says "1 Units"
    """
    digits = env["decimal.precision"].precision_get("Product Unit")
    text = f"{abs(quantity):.{digits}f}"
    decimals = len(text.partition(".")[2].rstrip("0"))
    # Else a zero that came from below would be "-0".
    figure = formatLang(env, round(quantity, digits) or 0.0, digits=decimals)
    if not unit or unit == env.ref("uom.product_uom_unit", raise_if_not_found=False):
        return figure
    return f"{figure} {unit.name}"
