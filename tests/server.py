"""A real Odoo server with two workers, on a database of its own, for tests over HTTP.

It runs with the addons path, data directory and database connection of the tests.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import requests

import odoo
from odoo.tools import config

PACKAGE = Path(odoo.__path__[0])
# "python -m odoo" can't start the process for websockets beside its workers.
LAUNCHER = "import odoo.cli\nodoo.cli.main()\n"


class ServerError(Exception):
    """The sentence that the web client would show, and the name of the exception."""

    def __init__(self, error):
        data = error.get("data") or {}
        self.name = data.get("name", "")
        super().__init__(data.get("message") or error.get("message"))


def connection(database):
    """Return an autocommitting connection of our own to a database."""
    options = {
        "host": config["db_host"] or os.environ.get("PGHOST"),
        "port": config["db_port"] or os.environ.get("PGPORT"),
        "user": config["db_user"] or os.environ.get("PGUSER"),
        "password": config["db_password"] or os.environ.get("PGPASSWORD"),
    }
    options = {key: value for key, value in options.items() if value}
    result = psycopg2.connect(dbname=database, **options)
    result.autocommit = True
    return result


def sql(database, statement, *parameters):
    with contextlib.closing(connection(database)) as link, link.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ground:
    """A folder for addons of the test, a database, and Odoo's commands on them."""

    def __init__(self, addons, template=None):
        self.folder = Path(tempfile.mkdtemp(prefix="helpdesk-test-"))
        self.addons = self.folder / "addons"
        self.packages = self.folder / "packages"
        for folder in (self.addons, self.packages):
            folder.mkdir()
        self.log = self.folder / "odoo.log"
        self.launcher = self.folder / "odoo-bin"
        self.launcher.write_text(LAUNCHER)
        self.database = f"helpdesk_server_{os.getpid()}_{self.folder.name[-6:]}"
        self.template = template
        self.wanted = addons
        data = self.folder / "data"
        if template:
            # Odoo never changes a file of the filestore: the same folder will do.
            shutil.copytree(
                Path(config["data_dir"]) / "filestore" / template,
                data / "filestore" / self.database,
                copy_function=os.link,
                dirs_exist_ok=True,
            )
        values = {
            "addons_path": ",".join(map(str, [self.addons, *self._addons_path()])),
            "data_dir": data,
            "db_name": self.database,
            "http_interface": "127.0.0.1",
        } | {
            key: config[key]
            for key in ("db_host", "db_port", "db_user", "db_password")
            if config[key]
        }
        self.configuration = self.folder / "odoo.conf"
        self.configuration.write_text(
            "[options]\n"
            + "".join(f"{key} = {value}\n" for key, value in values.items())
        )

    def _addons_path(self):
        given = config["addons_path"]
        given = given.split(",") if isinstance(given, str) else given
        return dict.fromkeys([*map(str, given), str(Path(__file__).parents[1])])

    def _command(self, *words):
        return [sys.executable, self.launcher, "-c", self.configuration, *words]

    @property
    def _environment(self):
        paths = [self.packages, PACKAGE.parent, os.environ.get("PYTHONPATH")]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths if path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def create(self):
        source = (
            f'TEMPLATE "{self.template}"' if self.template else "TEMPLATE template0"
        )
        sql("postgres", f'CREATE DATABASE "{self.database}" {source}')
        if self.wanted and not self.template:
            self.install(*self.wanted)

    def install(self, *addons):
        self.run("-i", ",".join(addons), "--stop-after-init", "--no-http")

    def run(self, *words):
        with open(self.log, "a") as log:
            code = subprocess.run(
                self._command(*words),
                env=self._environment,
                stdout=log,
                stderr=log,
                check=False,
            ).returncode
        if code:
            raise RuntimeError(f"Odoo failed:\n{self.log.read_text()[-3000:]}")

    def shell(self, code):
        """Run Python code with ``env``, as ``odoo shell`` does."""
        with open(self.log, "a") as log:
            subprocess.run(
                [*self._command()[:2], "shell", *self._command()[2:], "--no-http"],
                env=self._environment,
                input=code,
                stdout=log,
                stderr=log,
                text=True,
                check=True,
            )

    def sql(self, statement, *parameters):
        return sql(self.database, statement, *parameters)

    def drop(self):
        sql("postgres", f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def serve(self, workers=2, options=()):
        """Yield the address of a running server; ``options`` are more of Odoo's."""
        port = free_port()
        with open(self.log, "a") as log:
            process = subprocess.Popen(
                self._command(
                    *("--workers", str(workers), "--max-cron-threads", "0"),
                    *("--http-port", str(port), "--gevent-port", str(free_port())),
                    *map(str, options),
                ),
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield self._wait(process, f"http://127.0.0.1:{port}")
        finally:
            # Its workers end with it; what is left after a while is ended, too.
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _wait(self, process, address):
        for _attempt in range(240):
            if process.poll() is not None:
                break
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{address}/web/health", timeout=60)
                return address
            time.sleep(0.25)
        raise RuntimeError(
            f"The server does not start:\n{self.log.read_text()[-3000:]}"
        )


class Client:
    """What the web client asks, as somebody who is logged in."""

    def __init__(self, address, database, login, password=None):
        self.address = address
        self.session = requests.Session()
        self.ask(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": password or login},
        )

    def ask(self, path, params):
        answer = self.session.post(
            self.address + path,
            json={"jsonrpc": "2.0", "method": "call", "params": params},
            timeout=300,
        )
        answer.raise_for_status()
        content = answer.json()
        if "error" in content:
            raise ServerError(content["error"])
        return content["result"]

    def call(self, model, method, *args, **kwargs):
        return self.ask(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )
