"""A PostgreSQL of our own on loopback, unless the environment names one."""

import atexit
import contextlib
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from .ground import GROUND, Problem, install, locked, need, run, step

SETTINGS = """
# A throw-away cluster for development: fast, not safe against a power cut.
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 512MB
work_mem = 16MB
max_connections = 200
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
"""


def connect():
    """Return the environment variables that lead to a running server.

    Our own server is started when it isn't running, and stops with the last command
    that uses it. ``PGHOST`` or ``PGSERVICE`` of the environment come first.
    """
    if os.environ.get("PGHOST") or os.environ.get("PGSERVICE"):
        given = {key: value for key, value in os.environ.items() if key[:2] == "PG"}
        run(
            need("psql", "postgresql-client", "the database"),
            "-d",
            "postgres",
            "-Atc",
            "SELECT 1",
            problem=f"The PostgreSQL at PGHOST={given.get('PGHOST')} does not answer.",
        )
        return given
    lease = open(GROUND / "postgres.lease", "w")  # noqa: SIM115 (held until the end)
    with locked("postgres"):
        fcntl.flock(lease, fcntl.LOCK_SH)
        cluster = Cluster()
        cluster.start()
    atexit.register(release, cluster, lease)
    return cluster.variables()


def release(cluster, lease):
    with locked("postgres"), contextlib.suppress(BlockingIOError):
        # Only the last one gets the lease alone.
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        cluster.stop()
    lease.close()


class Cluster:
    def __init__(self):
        self.bin = programs()
        self.account = account()
        self.folder = GROUND / "postgres"
        if self.account and not reachable(self.folder.parent, self.account):
            name = hashlib.sha256(bytes(GROUND)).hexdigest()[:12]
            self.folder = Path(tempfile.gettempdir()) / f"helpdesk-postgres-{name}"
        self.data = self.folder / "data"

    def variables(self):
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": (self.folder / "port").read_text(),
            "PGUSER": "odoo",
            "PGPASSWORD": (self.folder / "password").read_text(),
        }

    def run(self, program, *words, **options):
        command = [str(self.bin / program), *map(str, words)]
        if self.account:
            command = [
                "setpriv",
                f"--reuid={self.account.pw_uid}",
                "--clear-groups",
            ] + [
                f"--regid={self.account.pw_gid}",
                *command,
            ]
        return run(*command, cwd="/", **options)

    def running(self):
        if not (self.data / "postmaster.pid").exists():
            return False
        with contextlib.suppress(Problem):
            self.run("pg_ctl", "status", "-D", self.data, problem="-")
            return True
        return False

    def start(self):
        if not (self.folder / "complete").exists():
            with step("making a PostgreSQL of our own"):
                self.make()
        if self.running():
            return
        port = (self.folder / "port").read_text()
        if not free(port):
            port = str(any_free_port())
            (self.folder / "port").write_text(port)
        self.run(
            "pg_ctl",
            "start",
            "-w",
            "-t",
            60,
            "-D",
            self.data,
            "-l",
            self.folder / "log",
            "-o",
            f"-p {port}",
            problem=f"PostgreSQL does not start; its log is {self.folder}/log.",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self):
        if self.running():
            self.run(
                "pg_ctl",
                "stop",
                "-w",
                "-m",
                "fast",
                "-D",
                self.data,
                problem="PostgreSQL does not stop.",
            )

    def make(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        password = self.folder / "password"
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(24))
        (self.folder / "port").write_text(str(any_free_port()))
        if self.account:
            for path in (self.folder, password):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
        self.run(
            "initdb",
            *("-D", self.data, "-U", "odoo", "-E", "UTF8", "--locale=C.UTF-8"),
            *("-A", "scram-sha-256", f"--pwfile={password}"),
            problem="PostgreSQL could not be set up.",
        )
        with open(self.data / "postgresql.conf", "a") as configuration:
            configuration.write(SETTINGS)
        (self.folder / "complete").touch()


def programs():
    """Return the folder with PostgreSQL's server programs."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent

    def versions():
        folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
        return sorted(folders, key=lambda path: float(path.parts[-3]))

    if not versions() and not install("postgresql", "the database"):
        raise Problem(
            "PostgreSQL is missing: install it (on Debian: sudo apt-get install "
            "postgresql) or name a running one in PGHOST, PGPORT, PGUSER, PGPASSWORD."
        )
    return versions()[-1].parent


def account():
    """Return the unprivileged account that runs the server, or ``None`` for our own."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Problem(
        "PostgreSQL refuses to run as root and there is no account for it: start the "
        "command as an ordinary user."
    )


def reachable(folder, user):
    """Return whether ``user`` may pass through all folders above the cluster."""
    return not any(
        path.exists()
        and path.stat().st_uid != user.pw_uid
        and not path.stat().st_mode & 1
        for path in (folder, *folder.parents)
    )


def free(port):
    """Return whether nobody listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", int(port)))
            return True
    return False


def any_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
