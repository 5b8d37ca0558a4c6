"""Run files of Odoo's own tests in the database of the tests, with our addons."""

import os
import re
import subprocess
import sys
from pathlib import Path

import odoo.addons

ADDONS = next(
    Path(path) for path in odoo.addons.__path__ if (Path(path) / "account").is_dir()
)


def check(*files, fail_without_us=frozenset(), http=False):
    """Run files, or folders, in a pytest of their own.

    :param files: below the folder of Odoo's addons
    :param fail_without_us: names of the tests that fail without our addons as well;
        nothing else may fail
    :param http: start the web server; tours are skipped without it
    """
    run = subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-c", os.devnull, f"--rootdir={ADDONS}", "--tb=short", "-rfE"),
            *(["--odoo-http"] if http else []),
            *(ADDONS / file for file in files),
        ],
        # Not in the folder of the addons: one of them is called "calendar".
        cwd=Path(sys.executable).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = r"^(?:FAILED|ERROR|SUBFAILED\S*) \S*?(\w+)(?: - .*)?$"
    failed = set(re.findall(lines, run.stdout, re.M))
    assert failed <= fail_without_us, run.stdout[-6000:]
    assert re.search(r"\d+ passed", run.stdout), run.stdout[-3000:] + run.stderr[-3000:]
