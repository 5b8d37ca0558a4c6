"""The virtual environment with what Odoo and the tests need from PyPI."""

import importlib.util
import os
import sys

from .ground import REQUIREMENTS, Problem, build, digest, install, run

REQUIREMENTS_TEST = REQUIREMENTS.with_name("requirements-test.txt")


def python():
    """Return the Python of the environment, made when a requirement has changed."""
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        raise Problem(
            f"Odoo 19.0 runs with Python 3.10 to 3.13, not {sys.version.split()[0]}: "
            f"start the command with another one, such as python3.12 setup/demo."
        )
    # Not sys.executable: the environment's own Python is the same interpreter.
    made_of = digest(sys.version, sys.base_prefix, REQUIREMENTS, REQUIREMENTS_TEST)
    folder = build("python", made_of, "installing the packages from PyPI", make)
    return folder / "bin" / "python"


def make(folder):
    if not importlib.util.find_spec("ensurepip") and not install(
        "python3-venv", "Odoo"
    ):
        raise Problem(
            "Python's venv is missing: install it (on Debian: sudo apt-get install "
            "python3-venv) and start again."
        )
    run(sys.executable, "-m", "venv", folder, problem="No virtual environment.")
    pip = [folder / "bin" / "python", "-m", "pip", "install", "-q"]
    pip += ["--disable-pip-version-check"]
    offline = "The packages from PyPI can't be installed: check the network."
    run(*pip, "uv", problem=offline)
    # pip trusts the machine's own certificates by its configuration, uv has to be told.
    environment = {
        "UV_SYSTEM_CERTS": "1",
        **os.environ,
        "VIRTUAL_ENV": str(folder),
    }
    files = [
        word for file in (REQUIREMENTS, REQUIREMENTS_TEST) for word in ("-r", file)
    ]
    run(
        folder / "bin" / "uv",
        "pip",
        "install",
        *files,
        problem=offline,
        env=environment,
    )
    # The folder is renamed when it is complete: programs must not name its old path.
    for script in (folder / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if content.startswith(b"#!"):
            final = str(folder).removesuffix(".unfinished").encode()
            script.write_bytes(content.replace(str(folder).encode(), final))
