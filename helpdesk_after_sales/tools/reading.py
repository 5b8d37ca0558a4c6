"""What strangers send: numbers, ids and texts, of whatever type they come."""

from odoo.exceptions import UserError

# The greatest id of a record, and the greatest number of anything.
MAXIMUM = 2**31 - 1


def read_integer(value, default=0, minimum=0, maximum=MAXIMUM):
    """Return ``value`` as a whole number between ``minimum`` and ``maximum``, or
    ``default`` for what is none."""
    if isinstance(value, str):
        # int() reads no more than 4300 digits, and takes signs and blanks.
        digits = value.isascii() and value.isdigit() and len(value) <= len(str(MAXIMUM))
        value = int(value) if digits else None
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return max(minimum, min(value, maximum))


def read_id(value):
    """Return the id that ``value`` holds, or ``None``."""
    number = read_integer(value, minimum=-1, maximum=MAXIMUM + 1)
    return number if 0 < number <= MAXIMUM else None


def check_one(records):
    """Raise unless it is one record: a client may call a method with none, with two, or
    on a model that has no records at all.

    :raises UserError: with a sentence
    """
    if records._abstract or len(records) != 1:
        raise UserError(records.env._("This works on one record at a time."))


def read_text(value, length=None):
    """Return ``value`` as a text that the database can hold, or an empty one.

    :param length: of its beginning, at most
    """
    if not isinstance(value, str):
        return ""
    # JSON carries halves of characters, which no database holds.
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:length]
