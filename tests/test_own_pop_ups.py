"""A pop-up is of whoever opened it (rights, holes 5c and 8): every transient model of
the addons, as the registry names them, tried by every role."""

from access import ROLES, AccessCase

from odoo.exceptions import AccessError, MissingError
from odoo.tests import tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestOwnPopUps(AccessCase):
    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_c3_no_role_reaches_the_pop_up_of_another_user(self):
        names = [name for name in self._own_models() if self.env[name]._transient]
        owner = self._new_user("pop_up_owner", "base.group_user")
        reached = []
        for name in sorted(names):
            row = self.env[name].create(self._pop_up(name))
            self.env.flush_all()
            # Straight to the table: no role makes rows of other users.
            self.env.cr.execute(
                f'UPDATE "{row._table}" SET create_uid = %s WHERE id = %s',
                [owner.id, row.id],
            )
            self.env.invalidate_all()
            buttons = [m for m in dir(type(row)) if m.startswith("action_")]
            for role in ROLES:
                user = self.users.get(role) or self.env.ref("base.public_user")
                other = row.with_user(user)
                if other.has_access("read") or row in other.sudo(False).search([]):
                    reached.append((role, name, "search"))
                calls = [
                    lambda rec=other: rec.read(["create_uid"]),
                    lambda rec=other: rec.write({}),
                    lambda rec=other: rec.unlink(),
                    lambda rec=other: rec.copy(),
                ]
                for call in calls:
                    try:
                        call()
                    except (AccessError, MissingError):
                        continue
                    reached.append((role, name, call))
                reached += [
                    (role, name, button)
                    for button in buttons
                    if not self._is_refused_to(other, button)
                ]
        self.assertEqual(reached, [])

    def _is_refused_to(self, row, button):
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            getattr(row, button)()
        except (AccessError, MissingError):
            return True
        except Exception:  # noqa: B902 (whatever else is said, it went past the row)
            return False
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)
        return False
