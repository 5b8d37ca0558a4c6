"""Odoo's command line, and databases made from templates."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import debian, environment, postgres
from .ground import GROUND, ROOT, Problem, digest, locked, need, run, step

SOURCES = [
    "controllers",
    "data",
    "demo",
    "models",
    "report",
    "security",
    "views",
    "wizards",
    "i18n",
]
#: what belongs to an addon's installation besides these folders
SUFFIXES = {".py", ".xml", ".csv", ".js", ".scss", ".pot", ".po"}


class Odoo:
    """Odoo with our addons on its path, on a database server that answers."""

    def __init__(self):
        self.python = environment.python()
        self.tree, self.addons_path = debian.odoo_tree()
        self.addons_path = [*self.addons_path, ROOT]
        self.data = GROUND / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            **postgres.connect(),
            "PYTHONPATH": str(self.tree),
            "ODOO_RC": str(self.configuration()),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def configuration(self, database=None):
        """Write Odoo's configuration file; returns its path.

        :param database: named in a file of its own, which goes with the database
        """
        # Several clones may share the ground: each has a file of its own.
        file = GROUND / f"odoo-{digest(str(ROOT))}.conf"
        text = (
            "[options]\n"
            f"addons_path = {','.join(map(str, self.addons_path))}\n"
            f"data_dir = {self.data}\n"
            "http_interface = 127.0.0.1\n"
        )
        if database:
            file = self.data / f"{database}.conf"
            text += f"db_name = {database}\n"
        file.write_text(text)
        return file

    def command(self, *words):
        return [str(self.python), "-m", "odoo", *map(str, words)]

    def install(self, database, addons, *options, problem):
        """Install addons into a database; a warning in the log is a failure, too.

        Warnings of Odoo itself, of a machine without a paper size or the like, are
        not ours: only the part of the log since our first addon counts.
        """
        log = GROUND / f"{database}.log"
        with open(log, "w") as output:
            code = subprocess.run(
                self.command(
                    *("-d", database, "-i", ",".join(addons), "--stop-after-init"),
                    *("--max-cron-threads", 0, "--no-http", *options),
                ),
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        text = log.read_text(errors="replace")
        bad = []
        if any((ROOT / addon).is_dir() for addon in addons):
            levels = r" (WARNING|ERROR|CRITICAL) (?!\? )"
            bad = [line for line in text.splitlines() if re.search(levels, line)]
        if code or bad:
            lines = bad or text.strip().splitlines()[-1:]
            raise Problem(f"{problem} The log is {log}:\n" + "\n".join(lines[:20]))

    # -- Databases -----------------------------------------------------------

    def sql(self, statement, database="postgres"):
        return run(
            need("psql", "postgresql-client", "the database"),
            *("-X", "-v", "ON_ERROR_STOP=1", "-d", database, "-Atc", statement),
            env=self.environment,
            problem="The database refused a command.",
        ).split()

    def databases(self, prefix):
        return self.sql(
            f"SELECT datname FROM pg_database WHERE datname ^@ '{prefix}' ORDER BY 1"
        )

    def create(self, database, template="template0"):
        """Make a database, with its files, from a template that nobody is using."""
        self.drop(database)
        self.sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}" ENCODING UTF8')
        if template == "template0":
            # As Odoo does for its own: trigram indexes need an immutable unaccent.
            for statement in (
                "CREATE EXTENSION IF NOT EXISTS pg_trgm",
                "CREATE EXTENSION IF NOT EXISTS unaccent",
                "ALTER FUNCTION unaccent(text) IMMUTABLE",
            ):
                self.sql(statement, database)
        elif self.files(template).is_dir():
            # Odoo never changes a file of the filestore: links are enough.
            shutil.copytree(
                self.files(template), self.files(database), copy_function=os.link
            )

    def drop(self, database):
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        shutil.rmtree(self.files(database), ignore_errors=True)
        (self.data / f"{database}.conf").unlink(missing_ok=True)

    def rename(self, database, name):
        self.sql(f'ALTER DATABASE "{database}" RENAME TO "{name}"')
        if self.files(database).is_dir():
            self.files(database).rename(self.files(name))

    def files(self, database):
        return self.data / "filestore" / database

    def template(self, kind, stamp, title, make):
        """Return the name of a template database, made by ``make(name)`` if need be.

        It gets its name when it is complete; older ones of the same kind go.
        """
        name = f"helpdesk_{kind}_{stamp}"
        with locked(f"template-{kind}"):
            if name in self.databases(name):
                return name
            with step(title):
                for old in self.databases(f"helpdesk_{kind}_"):
                    self.drop(old)
                beside = f"helpdesk_{kind}_unfinished"
                make(beside)
                self.rename(beside, name)
        return name

    def base_template(self, addons, *options):
        """Return the template with the applications that ``addons`` build on."""
        wanted = sorted({name for addon in addons for name in depends(addon)})
        kind = "basedemo" if options else "base"

        def make(name):
            self.create(name)
            self.install(name, wanted, *options, problem="Odoo can't be installed.")

        release = self.tree / "odoo" / "release.py"
        stamp = digest(Path(__file__), str(self.tree), release, *wanted)
        return self.template(kind, stamp, f"installing {', '.join(wanted)}", make)

    def addons_template(self, addons):
        """Return the template with our addons, without demo data."""
        base = self.base_template(addons)

        def make(name):
            self.create(name, base)
            self.install(name, addons, problem="The addons don't install cleanly.")
            self.pregenerate_assets(name)

        kind = f"addons_{digest(*addons)[:4]}"
        title = f"installing {', '.join(addons)}"
        return self.template(kind, digest(base, content(addons)), title, make)

    def pregenerate_assets(self, database):
        run(
            *self.command("shell", "-d", database, "--no-http"),
            env=self.environment,
            input="env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()\n",
            problem="The assets of the web client can't be built.",
        )


def our_addons():
    """Return the names of our addons, the base first."""
    return sorted(path.parent.name for path in ROOT.glob("helpdesk_*/__manifest__.py"))


def depends(addon):
    """Return what an addon depends on, less our own addons."""
    manifest = (ROOT / addon / "__manifest__.py").read_text()
    names = re.search(r'"depends": \[(.*?)\]', manifest, re.S)[1]
    return set(re.findall(r'"(\w+)"', names)) - set(our_addons())


def content(addons):
    """Return a hash of all that an installation of the addons reads."""
    files = [
        path
        for addon in addons
        for path in sorted((ROOT / addon).rglob("*"))
        if path.suffix in SUFFIXES
        and "tests" not in path.relative_to(ROOT).parts
        and "__pycache__" not in path.parts
    ]
    return digest(*(str(file.relative_to(ROOT)) for file in files), *files)
