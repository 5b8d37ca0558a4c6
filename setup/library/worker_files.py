"""Plugin of pytest: files of its own for each process of pytest-xdist.

pytest-odoo gives each process a copy of the database, but lets all of them share the
folder of the files: what one throws away, another one would miss.
"""

import os
import shutil
from pathlib import Path

import pytest

from odoo.tools import config


@pytest.fixture(scope="session", autouse=True)
def worker_files(load_registry):
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker:
        yield
        return
    # pytest-odoo has put one folder in the place of those of the databases.
    shared = Path(config.filestore.return_value)
    own = shared.with_name(f"{shared.name}-{worker}")
    # Odoo never changes a file: links are enough.
    shutil.copytree(shared, own, copy_function=os.link, dirs_exist_ok=True)
    config.filestore.return_value = str(own)
    yield
    shutil.rmtree(own)
