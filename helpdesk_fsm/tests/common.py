import base64
import io

from PIL import Image, ImageDraw

from odoo import Command, fields
from odoo.tests import Form

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon

TECHNICIAN = "helpdesk_fsm.group_fsm_user"
BEGIN = fields.Datetime.to_datetime("2030-05-06 08:00:00")
END = fields.Datetime.to_datetime("2030-05-06 10:00:00")


def drawn_signature(fmt="PNG", size=(300, 100)):
    """Return the picture of a signature, base64."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).line((10, 80, size[0] - 10, 20), fill="black", width=3)
    stream = io.BytesIO()
    picture.save(stream, fmt)
    return base64.b64encode(stream.getvalue()).decode()


class HelpdeskFsmCommon(HelpdeskAfterSalesCommon):
    """A team with field service, technicians, a template, a ticket of customer A."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_fsm = True
        cls.project = cls.team.fsm_project_id
        cls.template = cls.env["fsm.worksheet.template"].create(
            {
                "name": "Test Sheet",
                "properties_definition": [
                    {"name": "section", "string": "Work", "type": "separator"},
                    {"name": "work", "string": "What was done *", "type": "text"},
                    {"name": "hours", "string": "Hours *", "type": "float"},
                    {"name": "remark", "string": "Remark", "type": "char"},
                    {
                        "name": "result",
                        "string": "Result",
                        "type": "selection",
                        "selection": [["good", "Good"], ["bad", "Bad"]],
                    },
                    {
                        "name": "flags",
                        "string": "Flags",
                        "type": "tags",
                        "tags": [["a", "Alpha", 1], ["b", "Beta", 2]],
                    },
                    {"name": "day", "string": "Day", "type": "date"},
                    {"name": "ok", "string": "All fine", "type": "boolean"},
                    {
                        "name": "cost",
                        "string": "Cost",
                        "type": "monetary",
                        "currency_field": "worksheet_currency_id",
                    },
                    {
                        "name": "part",
                        "string": "Part",
                        "type": "many2one",
                        "comodel": "product.product",
                    },
                ],
            }
        )
        cls.project.worksheet_template_id = cls.template
        (
            cls.technician,
            cls.other_technician,
            cls.project_user,
            cls.project_manager,
        ) = cls._new_users(
            {
                "after_sales_technician": TECHNICIAN,
                "after_sales_technician2": TECHNICIAN,
                "after_sales_project_user": "project.group_project_user",
                "after_sales_project_manager": "project.group_project_manager",
            }
        )
        cls.technician.name = "Tina Tech"
        cls.contact_a1.write({"street": "Alder Street 1", "city": "Brussels"})
        cls.ticket_a = cls._ticket(cls.contact_a1, description="<p>Broken</p>")

    @classmethod
    def _wizard(cls, ticket=None, user=None, **values):
        """Return the pop-up as the web client opens and fills it."""
        ticket = (ticket or cls.ticket_a).with_user(user or cls.agent)
        action = ticket.action_plan_intervention()
        form = Form(
            ticket.env[action["res_model"]].with_context(**action["context"]),
        )
        for name, value in values.items():
            if name == "user_ids":
                for person in value:
                    form.user_ids.add(person)
            else:
                setattr(form, name, value)
        return form.save()

    @classmethod
    def _plan(cls, **kwargs):
        """Return the task that **Create Task** makes, as the superuser sees it."""
        kwargs.setdefault("user_ids", cls.technician)
        wizard = cls._wizard(**kwargs)
        wizard.action_create_task()
        return cls.env["project.task"].browse(wizard.sudo().task_id.id)

    @classmethod
    def _fill(cls, task, user=None, **values):
        """Fill the worksheet as the technician; required fields have values."""
        values = {"work": "Replaced the motor", "hours": 1.5} | values
        task.with_user(user or cls.technician).worksheet_properties = values

    @classmethod
    def _sign(cls, task, user=None, name="Ada Alder", signature=None):
        """Sign on the spot, as the pop-up on the technician's phone does."""
        action = task.with_user(user or cls.technician).action_sign_worksheet()
        task.env[action["res_model"]].with_user(user or cls.technician).with_context(
            **action["context"]
        ).create(
            {"signed_by": name, "signature": signature or drawn_signature()}
        ).action_sign()

    @classmethod
    def _photo(cls, task, user=None, **values):
        return (
            cls.env["fsm.task.photo"]
            .with_user(user or cls.technician)
            .create(
                {"task_id": task.id, "caption": "Motor", "image": drawn_signature()}
                | values
            )
        )

    @classmethod
    def _tamper(cls, record, field, value):
        """Change the file of a field, or delete it, as it is done past Odoo: in the
        file store and by SQL."""
        cls.env.flush_all()
        file = cls.env["ir.attachment"].search(
            [
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
                ("res_field", "=", field),
            ]
        )
        if value:
            data = base64.b64decode(value)
            values = file._get_datas_related_values(data, "image/png")
            file._file_write(data, values["checksum"])
            cls.env.cr.execute(
                "UPDATE ir_attachment SET store_fname = %s, checksum = %s "
                "WHERE id = %s",
                (values["store_fname"], values["checksum"], file.id),
            )
        else:
            cls.env.cr.execute("DELETE FROM ir_attachment WHERE id = %s", (file.id,))
        cls.env.invalidate_all()

    @classmethod
    def _other_company(cls):
        """Return another company with a field service project of its own."""
        company = cls.env["res.company"].create({"name": "Other Shop"})
        project = cls.env["project.project"].create(
            {
                "name": "Their Field Service",
                "is_fsm": True,
                "company_id": company.id,
                "type_ids": [Command.set(cls.project.type_ids.ids)],
            }
        )
        return company, project
