from odoo.tools.misc import formatLang


def format_quantity(env, quantity):
    """Return ``quantity`` as the user's language writes it: "1,234.5", "3".

    As many decimals as are needed, at most those of the precision *Product Unit*.
    """
    digits = env["decimal.precision"].precision_get("Product Unit")
    text = f"{abs(quantity):.{digits}f}"
    decimals = len(text.partition(".")[2].rstrip("0"))
    # Else a zero that came from below would be "-0".
    return formatLang(env, round(quantity, digits) or 0.0, digits=decimals)
