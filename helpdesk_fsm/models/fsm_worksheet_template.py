from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class FsmWorksheetTemplate(models.Model):
    """What technicians fill in on site: a list of Odoo's own property fields (X16)."""

    _name = "fsm.worksheet.template"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Worksheet Template"
    _order = "sequence, name, id"

    active = fields.Boolean(default=True)
    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        comodel_name="res.company",
        index=True,
        help="Leave empty to offer the template in every company.",
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_currency_id"
    )
    properties_definition = fields.PropertiesDefinition(string="Worksheet Fields")
    # Odoo draws properties on a record that refers to their definition: a template
    # refers to itself, so that it can be drawn in its own form.
    sample_template_id = fields.Many2one(
        comodel_name="fsm.worksheet.template",
        string="Worksheet",
        index=True,
        copy=False,
        ondelete="cascade",
        export_string_translation=False,
    )
    sample_properties = fields.Properties(
        definition="sample_template_id.properties_definition",
        string="Fields",
    )
    task_count = fields.Integer(compute="_compute_task_count")

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for template in self:
            company = template.company_id or self.env.company
            template.currency_id = company.currency_id

    def _compute_task_count(self):
        # sudo: how often a template is used is no secret; the tasks are.
        counts = dict(
            self.env["project.task"]
            .sudo()
            ._read_group(
                [("worksheet_template_id", "in", self.ids)],
                ["worksheet_template_id"],
                ["__count"],
            )
        )
        for template in self:
            template.task_count = counts.get(template, 0)

    # -- Constraints ---------------------------------------------------------

    @api.model
    def _get_property_types(self):
        """Return the types of properties that a worksheet may hold.

        Rich text isn't among them: it could carry addresses that the PDF maker of the
        server would open.
        """
        return (
            "boolean",
            "char",
            "date",
            "datetime",
            "float",
            "integer",
            "many2many",
            "many2one",
            "monetary",
            "selection",
            "separator",
            "tags",
            "text",
        )

    @api.model
    def _get_property_models(self):
        """Return the models that a worksheet may refer to: what every technician may
        read, since the names go into the signed copy and to the customer."""
        return ("res.partner", "product.product", "product.template")

    @api.constrains("properties_definition")
    def _check_properties_definition(self):
        for template in self:
            for prop in template.properties_definition:
                label = prop.get("string") or prop["name"]
                if prop["type"] not in self._get_property_types():
                    raise ValidationError(
                        self.env._(
                            "%(label)s: worksheets hold no fields of this type. Choose "
                            "a text, number, amount, date, choice, tags, checkbox, "
                            "contact, product or section.",
                            label=label,
                        )
                    )
                if (
                    prop["type"] in ("many2one", "many2many")
                    and prop.get("comodel")
                    and prop["comodel"] not in self._get_property_models()
                ):
                    raise ValidationError(
                        self.env._(
                            "%(label)s: a worksheet refers to contacts or products "
                            "only.",
                            label=label,
                        )
                    )

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        for template in templates:
            template.sample_template_id = template
        return templates

    def write(self, vals):
        before = (
            {template: template.properties_definition for template in self}
            if "properties_definition" in vals
            else {}
        )
        result = super().write(vals)
        for template, definition in before.items():
            template._check_nothing_lost(definition)
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "name" in (default or {}):
            return vals_list
        return [
            dict(vals, name=self.env._("%s (copy)", template.name))
            for template, vals in zip(self, vals_list, strict=True)
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for template in self:
            if template._count_filled(Domain.TRUE):
                raise UserError(
                    self.env._(
                        "%(template)s is used by tasks. Archive it instead: it will "
                        "no longer be offered, and their worksheets are kept.",
                        template=template.name,
                    )
                )

    def _check_nothing_lost(self, before):
        """Refuse a change by which a filled worksheet would lose something.

        :param before: the definition as it was
        :raises UserError: with the label of the field that is in use
        """
        self.ensure_one()
        after = {prop["name"]: prop for prop in self.properties_definition}
        for prop in before:
            for lost in self._get_lost_domains(prop, after.get(prop["name"])):
                if self._count_filled(lost):
                    raise UserError(
                        self.env._(
                            "%(label)s is already filled in on worksheets: it can't "
                            "be removed, change its type or lose a choice that was "
                            "used. Duplicate the template %(template)s and change "
                            "the copy.",
                            label=prop.get("string") or prop["name"],
                            template=self.name,
                        )
                    )

    @api.model
    def _get_lost_domains(self, old, new):
        """Return domains of the tasks that lose a value when a property changes."""
        path = f"worksheet_properties.{old['name']}"
        if old["type"] == "separator":
            return []
        if (
            not new
            or new["type"] != old["type"]
            or new.get("comodel") != old.get("comodel")
        ):
            return [Domain(path, "!=", False)]
        options = old["type"] in ("selection", "tags") and old["type"]
        if not options:
            return []
        kept = {option[0] for option in new.get(options) or ()}
        return [
            Domain(path, "in", [option[0]])
            for option in old.get(options) or ()
            if option[0] not in kept
        ]

    def _count_filled(self, domain):
        # sudo: also tasks that the user may not see would lose their values.
        return (
            self.env["project.task"]
            .sudo()
            .with_context(active_test=False)
            .search_count(
                Domain("worksheet_template_id", "=", self.id) & domain, limit=1
            )
        )
