import contextlib
import io
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from odoo.tools.pdf import PdfReader

LONG = "W" * 2000


class HostilePdfMixin:
    """Hostile words, and reports of them that the real wkhtmltopdf makes (T25).

    A listener of our own stands in for Odoo: it counts whatever the page fetches.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fetched = fetched = []

        class Listener(BaseHTTPRequestHandler):
            def do_GET(self):
                fetched.append(self.path)
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(b"FETCHED")

            def log_message(self, *_args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.web = f"http://127.0.0.1:{server.server_port}"
        cls.env["ir.config_parameter"].set_param("report.url", cls.web)
        secret = cls.enterClassContext(
            tempfile.NamedTemporaryFile("w", prefix="secret", suffix=".html")
        )
        secret.write("<p>SECRETFILE</p>")
        secret.flush()
        cls.file = f"file://{secret.name}"

    def _hostile(self, place):
        """Return words for one place of a report: markup, addresses, marks that turn
        the direction of the text, a very long word, and a last word to look for."""
        web, file = f"{self.web}/evil/{place}", self.file
        return (
            f"{place} </style></title></td></tr></table></div>"
            "<script>document.write('SCRI' + 'PTED')</script>"
            f"<script src='{web}/script'></script>"
            f"<img src='{web}/img' onerror=\"document.write('SCRI' + 'PTED')\">"
            f"<img src='{file}'><iframe src='{file}'></iframe>"
            f"<iframe src='{web}/frame'></iframe><embed src='{web}/embed'>"
            f"<link rel='stylesheet' href='{web}/link'>"
            f"<style>@import url({web}/css); .page {{display: none}}</style>"
            f"<object data='{file}'></object><meta http-equiv=refresh content=0;{web}>"
            "<div class='header'></div><div class='article'></div>"
            f"\u202eevil\u202c \u200fevil\u200e \u2066evil\u2069 {LONG} END{place}"
        )

    def _print(self, report, records):
        reports = self.env["ir.actions.report"].with_context(
            force_report_rendering=True
        )
        try:
            pdf, kind = reports._render_qweb_pdf(report, records.ids)
        except unittest.SkipTest as error:
            # Odoo skips what is more than one document, which the words made of one.
            self.fail(error)
        self.assertEqual(kind, "pdf")
        return pdf

    def _assert_harmless_pdf(self, report, records, places, breaks=True):
        """Make the PDF, look at what was fetched and what it shows; return its text.

        :param places: what was given to :meth:`_hostile`, and shows in the report
        :param breaks: whether very long words go on in the next line
        """
        self.fetched.clear()
        pdf = self._print(report, records)
        self.assertTrue(self.fetched, "the styles come from the listener")
        self.assertFalse([path for path in self.fetched if "/web/assets/" not in path])
        lines, texts, pages = set(), [], []

        def look(text, page, line, *_font):
            texts.append(text)
            if "WWW" in text:
                lines.add((len(pages), round(line[5] * page[3] + page[5])))

        for page in PdfReader(io.BytesIO(pdf)).pages:
            pages.append(page)
            page.extract_text(visitor_text=look)
        text = "".join(texts)
        for word in ("SCRIPTED", "SECRETFILE", "FETCHED"):
            self.assertNotIn(word, text)
        flat = "".join(text.split())
        for place in places:
            with self.subTest(place=place):
                self.assertIn(f"{place}</style></title>", flat)
                self.assertIn(f"END{place}", flat)
        if breaks:
            # A word that ran out of the page would be one line.
            self.assertGreater(len(lines), 10 * len(places))
        self.assertLess(len(pages), 4 * (len(places) + 1))
        return flat
