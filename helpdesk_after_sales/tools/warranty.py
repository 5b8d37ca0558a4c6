"""Days and terms of warranties: no records, only dates."""

from datetime import datetime, time
from typing import NamedTuple

import pytz
from dateutil.relativedelta import relativedelta

#: nothing lasts longer than a hundred years
LONGEST = {"day": 36525, "week": 5218, "month": 1200, "year": 100}


class Warranty(NamedTuple):
    """What is known of the warranty of something that was delivered.

    The pairs differ when the pieces in question were delivered on several days: then
    nobody knows which one it is.
    """

    start_first: object
    start_last: object
    end_first: object
    end_last: object
    #: whether all of these pieces were under warranty at the moment asked for
    covered: bool

    @property
    def end(self):
        """The last day under warranty, if it is known, else ``False``."""
        return self.end_first == self.end_last and self.end_first


def get_end(start, term):
    """Return the last day of a warranty, or ``False`` without a term.

    :param start: its first day; a month after 31 January is the last day of February
    :param term: as ``"2 year"``
    """
    if not term:
        return False
    number, unit = term.split()
    number = min(int(number), LONGEST[unit])
    return start + relativedelta(**{f"{unit}s": number})


def get_day(moment, zone):
    """Return the date of a moment (naive, UTC) in a time zone, which may be unknown."""
    return pytz.utc.localize(moment).astimezone(_get_timezone(zone)).date()


def get_last_moment(day, zone):
    """Return the last second of a day in a time zone (naive, UTC)."""
    last = datetime.combine(day, time(23, 59, 59))
    return _get_timezone(zone).localize(last).astimezone(pytz.utc).replace(tzinfo=None)


def _get_timezone(name):
    try:
        return pytz.timezone(name or "UTC")
    except pytz.UnknownTimeZoneError:
        return pytz.utc
