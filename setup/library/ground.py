"""The ground: the one folder that holds all the commands make, and how they make it."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GROUND = Path(os.environ.get("HELPDESK_GROUND") or ROOT / ".ground").resolve()
REQUIREMENTS = ROOT / "setup" / "requirements.txt"


class Problem(Exception):
    """Something the user has to know, in one sentence."""


def main(command, run):
    """Run ``run(arguments)`` and turn what goes wrong into one sentence."""
    try:
        sys.exit(run(sys.argv[1:]))
    except Problem as problem:
        sentence = str(problem)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        sentence = (
            f"{error.strerror}: {error.filename or GROUND}. Free some space (3 GB "
            f"are needed) or name another folder in HELPDESK_GROUND."
        )
    print(f"setup/{command}: {sentence}", file=sys.stderr)
    sys.exit(1)


@contextlib.contextmanager
def step(title):
    """Say what is being done, and how long it took."""
    print(f"· {title} …", file=sys.stderr, flush=True)
    start = time.monotonic()
    yield
    print(f"  {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def digest(*parts):
    """Return a short hash of strings and of the content of files."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        content.update(b"\0")
    return content.hexdigest()[:12]


@contextlib.contextmanager
def locked(name, shared=False):
    """Hold a lock of the ground, so that two commands don't build the same thing."""
    GROUND.mkdir(parents=True, exist_ok=True)
    with open(GROUND / f"{name}.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield handle


def build(name, stamp, title, make):
    """Return the folder ``name`` of the ground, made by ``make(folder)`` if need be.

    It is made beside and renamed when it is complete: a broken download or a killed run
    leaves nothing that would be taken for whole. ``stamp`` says what it is made of.
    """
    folder = GROUND / name
    seal = folder / ".made-of"

    def complete():
        return seal.is_file() and seal.read_text() == stamp

    if complete():
        return folder
    with locked(name):
        if complete():
            return folder
        beside = GROUND / f"{name}.unfinished"
        for leftover in (beside, folder):
            shutil.rmtree(leftover, ignore_errors=True)
        beside.mkdir()
        with step(title):
            make(beside)
        (beside / ".made-of").write_text(stamp)
        beside.rename(folder)
    return folder


def run(*command, problem, **options):
    """Run a program quietly; ``problem`` is the sentence when it fails."""
    options = {"text": True, "stdout": subprocess.PIPE} | options
    options.setdefault("stderr", subprocess.STDOUT)
    command = [str(word) for word in command]
    try:
        result = subprocess.run(command, check=False, **options)
    except FileNotFoundError as error:
        raise Problem(f"{problem} ({error.filename} is missing)") from error
    if result.returncode:
        lines = (result.stdout or "").strip().splitlines()
        if any("No space left" in line for line in lines):
            raise OSError(errno.ENOSPC, "No space left on device", str(GROUND))
        log = GROUND / "last-failure.log"
        log.write_text(" ".join(command) + "\n" + (result.stdout or ""))
        raise Problem(f"{problem} ({lines[-1] if lines else 'no output'}; see {log})")
    return result.stdout


def need(program, package, purpose):
    """Return the path of a program; install its Debian package where that is allowed.

    :raises Problem: how to get it
    """
    found = shutil.which(program) or (
        install(package, purpose) and shutil.which(program)
    )
    if not found:
        raise Problem(
            f"{program} is missing; it is needed for {purpose}: install it "
            f"(on Debian: sudo apt-get install {package}) and start again."
        )
    return found


def install(package, purpose):
    """Install a Debian package where that is allowed; returns whether it was."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid():
        return False
    with step(f"installing {package}, for {purpose}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        options = {"env": environment, "problem": f"{package} could not be installed."}
        run(apt, "update", **options)
        run(apt, "install", "-y", "--no-install-recommends", package, **options)
    return True
