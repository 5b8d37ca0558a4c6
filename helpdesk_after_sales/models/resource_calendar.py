from bisect import bisect_right
from datetime import UTC, datetime, timedelta

from odoo import api, models
from odoo.tools import ormcache

EPOCH = datetime.fromisoformat("2000-01-03")
WEEKS = timedelta(weeks=4)
# Nobody promises more than what ten years of work hold.
BLOCKS = 130


class ResourceCalendar(models.Model):
    """Hours of work, planned and counted without a query: each ticket that comes in, or
    is answered, asks for them."""

    _inherit = "resource.calendar"

    @ormcache("self.id", "block")
    def _get_helpdesk_hours(self, block):
        """Return the hours of work of four weeks as ``(begin, end)``, in UTC."""
        begin = EPOCH + block * WEEKS
        intervals = self._work_intervals_batch(
            begin.replace(tzinfo=UTC), (begin + WEEKS).replace(tzinfo=UTC)
        )[False]
        return tuple(
            tuple(moment.astimezone(UTC).replace(tzinfo=None) for moment in (a, b))
            for a, b, _attendance in intervals
        )

    def _helpdesk_plan(self, hours, start):
        """Return when ``hours`` of work have passed after ``start``; ``start`` where
        none are left. Without a calendar, or one without working hours, the clock goes
        on day and night."""
        left = timedelta(hours=max(hours, 0))
        if self and left and self._helpdesk_works():
            block = (start - EPOCH) // WEEKS
            for number in range(block, block + BLOCKS):
                hours_of_work = self._get_helpdesk_hours(number)
                first = bisect_right(hours_of_work, (start,))
                for begin, end in hours_of_work[max(first - 1, 0) :]:
                    begin = max(begin, start)
                    if begin >= end:
                        continue
                    if left <= end - begin:
                        return (begin + left).replace(microsecond=0)
                    left -= end - begin
        return (start + left).replace(microsecond=0)

    def _helpdesk_count(self, start, stop):
        """Return the hours of work between two moments, 0 if they are none."""
        if stop <= start:
            return 0.0
        if not self or not self._helpdesk_works():
            return (stop - start) / timedelta(hours=1)
        total = timedelta()
        for number in range((start - EPOCH) // WEEKS, (stop - EPOCH) // WEEKS + 1):
            for begin, end in self._get_helpdesk_hours(number):
                total += max(min(end, stop) - max(begin, start), timedelta())
        return total / timedelta(hours=1)

    @ormcache("self.id")
    def _helpdesk_works(self):
        """Return whether this calendar has working hours at all."""
        return bool(self.attendance_ids) or self.flexible_hours

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)


class ResourceCalendarAttendance(models.Model):
    _inherit = "resource.calendar.attendance"

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    def _forget_helpdesk_hours(self):
        # Leaves of one person, whom working hours of a team don't know, are many.
        if not all(leave.resource_id for leave in self):
            self.env.registry.clear_cache()

    @api.model_create_multi
    def create(self, vals_list):
        leaves = super().create(vals_list)
        leaves._forget_helpdesk_hours()
        return leaves

    def write(self, vals):
        self._forget_helpdesk_hours()
        result = super().write(vals)
        self._forget_helpdesk_hours()
        return result

    def unlink(self):
        self._forget_helpdesk_hours()
        return super().unlink()
