from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import config


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def _get_addons_to_install(self):
        """Return the addons that installing these ones would install, themselves too.

        The same ones that ``button_install`` marks, without marking them: what they
        depend on, and what Odoo installs by itself beside that (S11).
        """
        present = {"installed", "to upgrade", "to install"}
        absent = Domain("state", "=", "uninstalled")
        automatic = self.browse()
        if not config.get("skip_auto_install"):
            automatic = self.search(absent & Domain("auto_install", "=", True))
        # sudo: of any company, as Odoo does; only the countries are looked at.
        companies = self.env["res.company"].sudo().search(Domain.TRUE)
        countries = companies.country_id
        result = self.browse()

        def comes_along(addon):
            if addon.country_ids and not addon.country_ids & countries:
                return False
            required = addon.dependencies_id.filtered("auto_install_required")
            new = required.filtered(lambda dep: dep.depend_id in result)
            return new and all(dep.state in present for dep in required - new)

        found = self.filtered(lambda addon: addon.state not in present)
        while found:
            result |= found
            result |= found.upstream_dependencies(
                exclude_states=(*present, "uninstallable", "to remove")
            )
            found = (automatic - result).filtered(comes_along)
        return result

    def _get_install_obstacle(self):
        """Return the sentence why these addons can't be installed, or ``False``.

        ``self`` is what :meth:`_get_addons_to_install` returned. Of a Python package
        that is missing Odoo says how to get it.
        """
        missing = {
            dependency.name
            for dependency in self.dependencies_id
            if dependency.state in ("unknown", "uninstallable")
        } | set(self.filtered(lambda m: m.state == "uninstallable").mapped("name"))
        if missing:
            return self.env._(
                "it needs an addon that is not on this server (%(addons)s); ask the "
                "administrator to add it and to update the list of apps",
                addons=", ".join(sorted(missing)),
            )
        try:
            for addon in self:
                addon.check_external_dependencies(addon.name)
        except UserError as error:
            return " ".join(str(error).split())
        return False
