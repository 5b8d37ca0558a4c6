from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """A merge is undone, as long as nothing else has happened on the ticket that was
    kept."""

    _inherit = "helpdesk.ticket"

    merge_data = fields.Json(
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        export_string_translation=False,
        help="Technical: ids of what went to the other ticket, to undo the merge.",
    )

    def _note_moved(self, key, records, **more):
        """Remember on this ticket, which is being merged, what moves. With sudo."""
        data = dict(self.merge_data or {})
        data.setdefault("moved", []).append([key, records._name, records.ids])
        self.merge_data = data | more

    def _read_to_undo(self, vals):
        """Return what this ticket says of what a merge writes, tags excepted."""
        names = vals.keys() - {"tag_ids"}
        if "partner_id" in names:
            names |= {"partner_name", "partner_email", "partner_phone"}
        return {
            name: self._fields[name].convert_to_write(self[name], self)
            for name in sorted(names)
        }

    def action_undo_merge(self):
        """Take out of the other ticket what came with this one, and open this one
        again. Returns the action that shows it.

        :raises AccessError: when one of the two isn't the user's to work on
        :raises UserError: when it wasn't merged, or something has happened since
        """
        self.ensure_one()
        # sudo: the ticket that it went into, which is asked for as the user.
        target = self.sudo().merged_into_id.sudo(False)
        tickets = self | target
        tickets.check_access("write")
        self._lock_after_sales(tickets)
        tickets.invalidate_recordset()
        # sudo: the user works on both tickets, as was just checked; what hangs on
        # them moves back, also documents that they may not open.
        ticket, target = self.sudo(), target.sudo()
        if not target or ticket.merged_into_id != target:
            raise UserError(self.env._("This ticket isn't merged into another one."))
        ticket._check_undo(target)
        ticket._undo_merge(target)
        return self._get_records_action(context={})

    def _check_undo(self, target):
        data = self.merge_data or {}
        newer = data and target.message_ids.filtered(lambda m: m.id > data["note"])
        if not data or newer or target.merged_into_id or not target.active:
            raise UserError(
                self.env._(
                    "%(target)s has changed since this ticket was merged into it: "
                    "the merge can't be undone. Split messages off into a new "
                    "ticket instead.",
                    target=target.display_name,
                )
            )

    def _undo_merge(self, target):
        """Move back what came from this ticket. Called with sudo."""
        data = self.merge_data
        for link, model, ids in data["moved"]:
            if model not in self.env:
                continue
            records = self.env[model].with_context(active_test=False)
            records = records.browse(ids).exists()
            records.filtered(
                lambda record, link=link: (
                    record[link] == (target.id if link == "res_id" else target)
                )
            ).with_context(helpdesk_merging=True).write({link: self.id})
        target.message_unsubscribe(partner_ids=data["followers"])
        self.write({"active": True, "merged_into_id": False, "merge_data": False})
        given = {
            name: value
            for name, value in data["given"].items()
            if target._fields[name].convert_to_write(target[name], target) == value[1]
        }
        target.with_context(mail_notrack=True).write(
            {name: old for name, (old, _new) in given.items()}
            | {"tag_ids": [Command.unlink(tag) for tag in data["tags"]]}
        )
        self._begin_sla_later()
        for ticket, other in ((self, target), (target, self)):
            ticket._message_log(
                body=self.env._(
                    "The merge with %(ticket)s was undone.",
                    ticket=other._get_number_link(),
                ),
                author_id=self.env.user.partner_id.id,
            )

    @api.model
    def _find_attached(self, model, record):
        """Return what hangs on a ticket, or another record, by model and id."""
        domain = Domain("res_model", "=", record._name)
        domain &= Domain("res_id", "=", record.id)
        return self.env[model].with_context(active_test=False).search(domain)
