"""What the benches share: a database of their own, an environment in it, the time."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(file, bench):
    """Exit with what ``bench(env, arguments)`` returns, in a throw-away database.

    With ODOO_RC it is the database that this names, and nothing stays in it; else
    ``file`` is run again in one that is made by setup/.
    """
    start = run if os.environ.get("ODOO_RC") else run_in_setup
    sys.exit(start(file, bench, sys.argv[1:]))


def run(_file, bench, arguments):
    import odoo.tools
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry

    odoo.tools.config.parse_config(["--log-level=error"])
    (database,) = odoo.tools.config["db_name"]
    with Registry(database).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": False})
        code = bench(env, arguments)
        cr.rollback()
    return code


def run_in_setup(file, _bench, arguments):
    sys.path.insert(0, str(ROOT / "setup"))
    from library.database import Odoo, our_addons

    odoo = Odoo()
    database = f"helpdesk_bench_{os.getpid()}"
    odoo.create(database, odoo.addons_template(our_addons()))
    try:
        return subprocess.run(
            [str(odoo.python), file, *arguments],
            env=odoo.environment | {"ODOO_RC": str(odoo.configuration(database))},
            check=False,
        ).returncode
    finally:
        odoo.drop(database)


def processor_time(env):
    """Return the seconds that Odoo and its PostgreSQL process have computed so far.

    Everything is in memory: on a machine with nothing else to do that is the time that
    passes, on a busy one it is the part that counts. Of a PostgreSQL on another machine
    only the clock is known.
    """
    pid = env.cr._cnx.info.backend_pid
    try:
        computed = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return time.perf_counter()
    return time.process_time() + computed / 1e9
