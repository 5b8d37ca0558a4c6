import base64
import tempfile

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common_pdf import HostilePdfMixin

from .common import HelpdeskFsmCommon, drawn_signature


@tagged("post_install", "-at_install")
class TestFsmPdf(HostilePdfMixin, HelpdeskFsmCommon):
    """The worksheet as a PDF, of what technicians and customers wrote."""

    def test_t25_worksheet_with_hostile_words(self):
        self.template.write(
            {
                "properties_definition": [
                    {**prop, "string": self._hostile("label")}
                    if prop["name"] == "remark"
                    else prop
                    for prop in self.template.properties_definition
                ]
            }
        )
        self.contact_a1.name = self._hostile("customer")
        self.contact_a1.street = self._hostile("street")
        self.technician.name = self._hostile("technician")
        task = self._plan(name=self._hostile("task"))
        self._fill(task, work=self._hostile("work"), remark=self._hostile("remark"))
        self._photo(task, caption=self._hostile("caption"))
        places = ["task", "customer", "technician", "label", "work", "remark"]
        places += ["street", "caption"]
        with self.subTest("not signed"):
            self._assert_harmless_pdf("helpdesk_fsm.report_worksheet", task, places)
        signer = f"<script src='{self.web}/evil'></script>"
        self._sign(task, name=signer)
        text = self._assert_harmless_pdf("helpdesk_fsm.report_worksheet", task, places)
        self.assertIn("".join(signer.split()), text)

    def test_t25_drawings_that_show_files_of_the_server(self):
        """The SVG of Qt opens pictures by their path, if the page calls it a PNG."""
        task = self._plan()
        report = "helpdesk_fsm.report_worksheet"
        pictures = self._print(report, task).count(b"/Subtype /Image")
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(base64.b64decode(drawn_signature()))
            file.flush()
            drawing = (
                '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99" '
                'xmlns:xlink="http://www.w3.org/1999/xlink">'
                f'<image xlink:href="{file.name}" width="99" height="99"/>'
                f'<image xlink:href="{self.web}/evil/svg" width="9" height="9"/></svg>'
            )
            self._photo(task, image=base64.b64encode(drawing.encode()))
            for hidden in (f"\n{drawing}", f"\ufeff{drawing}"):
                with self.assertRaises(UserError):
                    self._photo(task, image=base64.b64encode(hidden.encode()))
            with self.assertRaises(UserError):
                self._sign(task, signature=base64.b64encode(drawing.encode()).decode())
            self._assert_harmless_pdf(report, task, [], breaks=False)
            pdf = self._print(report, task)
        self.assertEqual(pdf.count(b"/Subtype /Image"), pictures)
