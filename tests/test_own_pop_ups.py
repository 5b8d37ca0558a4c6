"""A pop-up is of whoever opened it (rights, holes 5c and 8): every transient model of
the addons, as the registry names them, tried by every role."""

from access import ROLES, AccessCase, is_ours

from odoo.exceptions import AccessError, MissingError
from odoo.tests import tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestOwnPopUps(AccessCase):
    maxDiff = None

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_c3_no_role_reaches_the_pop_up_of_another_user(self):
        names = [name for name in self._own_models() if self.env[name]._transient]
        owner = self._new_user("pop_up_owner", "base.group_user")
        reached = []
        for name in sorted(names):
            row = self._open(name)
            self.env.flush_all()
            self.assertTrue(row.exists(), name)
            # Straight to the table: no role makes rows of other users.
            self.env.cr.execute(
                f'UPDATE "{row._table}" SET create_uid = %s WHERE id = %s',
                [owner.id, row.id],
            )
            self.env.invalidate_all()
            buttons = {
                method
                for cls in type(row).mro()
                if is_ours(cls)
                for method in vars(cls)
                if method.startswith("action_")
            }
            for role in ROLES:
                user = self.users.get(role) or self.env.ref("base.public_user")
                env = self.env(user=user.id, su=False, context={})
                other = env[name].browse(row.id)
                if other.browse().has_access("read") and row in other.search([]):
                    reached.append((role, name, "search"))
                for method, args in (
                    ("read", [["create_uid"]]),
                    ("write", [{}]),
                    ("unlink", []),
                    ("copy", []),
                ):
                    if not self._is_refused_to(other, method, *args):
                        reached.append((role, name, method))
                reached += [
                    (role, name, button)
                    for button in buttons
                    if not self._is_refused_to(other, button)
                ]
        self.assertEqual(reached, [])

    def _open(self, name):
        """Return a new pop-up; of a line, in a new pop-up of its own."""
        values = self._pop_up(name)
        for field in self.env[name]._fields.values():
            if field.type != "many2one" or not field.required or field.name in values:
                continue
            if field.compute or (field.name == "company_id" and values):
                continue  # follows from the ticket
            model = self.env[field.comodel_name]
            parent = self._open(model._name) if model._transient else model
            values[field.name] = (parent or model.search([], limit=1)).id
        # A pop-up that fills its lines by itself would take this one out again.
        self.env.flush_all()
        return self.env[name].create(values)

    def _is_refused_to(self, row, method, *args):
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            getattr(row, method)(*args)
        except (AccessError, MissingError):
            return True
        except Exception:  # noqa: B902 (whatever else is said, it went past the row)
            return False
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)
        return False
