"""Odoo 19.0 from Debian: downloaded and unpacked, never installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .ground import Problem, build, digest, need, run

UNSTABLE = [
    "odoo-19",
    "fonts-glyphicons-halflings",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
]
# Odoo needs Font Awesome 4.7, which only the stable release has.
STABLE = ["fonts-font-awesome", "fonts-inconsolata"]
# Debian leaves this script out; without it the bundle of the mail addon breaks.
SELFIE = "@mediapipe/selfie_segmentation@0.1.1675465747"
APT = Path("/etc/apt")
TREE = "usr/lib/python3/dist-packages"


def odoo_tree():
    """Return ``(folder of the package odoo's parent, list of addons folders)``.

    It is the source tree that ``ODOO_PATH`` names, else Debian's package.
    """
    if given := os.environ.get("ODOO_PATH"):
        path = Path(given).expanduser().resolve()
        try:
            return given_tree(path)
        except PermissionError as error:
            raise Problem(
                f"ODOO_PATH={path} may not be read by this account: name a tree that "
                f"may, or leave ODOO_PATH empty."
            ) from error
    folder = build(
        "odoo",
        digest(*UNSTABLE, *STABLE, SELFIE),
        "getting Odoo 19.0 (about 130 MB)",
        fetch,
    )
    return folder / TREE, [folder / TREE / "odoo" / "addons"]


def given_tree(path):
    for parent in (path, path.parent):
        release = parent / "odoo" / "release.py"
        if not release.is_file():
            continue
        if not re.search(r"version_info = \(19, 0", release.read_text()):
            raise Problem(f"ODOO_PATH={path} is not Odoo 19.0; name a tree of 19.0.")
        folders = [parent / "addons", parent / "odoo" / "addons"]
        return parent, [folder for folder in folders if folder.is_dir()]
    raise Problem(
        f"ODOO_PATH={path} holds no Odoo: name the folder of its source that contains "
        f"odoo/release.py, or leave ODOO_PATH empty."
    )


def machine_source():
    """Return ``(address, key file)`` of the machine's own Debian source."""
    for file in sorted(APT.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.+)$", stanza, re.M))
            if is_debian(fields.get("URIs", ""), fields.get("Suites", "")):
                return fields["URIs"].split()[0], fields.get("Signed-By", "")
    for file in [APT / "sources.list", *APT.glob("sources.list.d/*.list")]:
        text = file.read_text() if file.is_file() else ""
        for options, uri, suite in re.findall(
            r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)", text, re.M
        ):
            if is_debian(uri, suite):
                key = re.search(r"signed-by=(\S+)", options)
                return uri, key[1] if key else ""
    raise Problem(
        "This machine has no Debian source to get Odoo from: unpack Odoo 19.0 "
        "somewhere and name its folder in ODOO_PATH."
    )


def is_debian(uris, suites):
    return uris.rstrip("/").endswith("/debian") and "-security" not in suites


def stable_release():
    text = Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(\w+)", text, re.M)[1]


def fetch(folder):
    """Download with a private apt that verifies as the machine's own does; unpack."""
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            raise Problem(
                f"{program} is missing, so Odoo can't come from Debian: unpack Odoo "
                f"19.0 somewhere and name its folder in ODOO_PATH."
            )
    npm = need("npm", "npm", "a script that Debian leaves out of Odoo")
    address, key = machine_source()
    stable = stable_release()
    apt = folder / ".apt"
    for part in ("parts", "lists/partial", "cache/archives/partial", "packages"):
        (apt / part).mkdir(parents=True)
    source = f"Types: deb\nURIs: {address}\nSuites: sid {stable}\nComponents: main\n"
    source += f"Signed-By: {key}\n" if key else ""
    (apt / "parts" / "debian.sources").write_text(source)
    options = [
        f"Dir::Etc::sourceparts={apt}/parts",
        "Dir::Etc::sourcelist=/dev/null",
        f"Dir::State::lists={apt}/lists",
        f"Dir::Cache={apt}/cache",
        "APT::Sandbox::User=" + ("root" if os.geteuid() == 0 else ""),
        "Acquire::Retries=3",
        "APT::Update::Error-Mode=any",
    ]
    options = [word for option in options for word in ("-o", option)]
    offline = "Debian's packages can't be reached: check the network and start again."
    run("apt-get", *options, "update", problem=offline)
    wanted = [f"{p}/sid" for p in UNSTABLE] + [f"{p}/{stable}" for p in STABLE]
    run(
        "apt-get",
        *options,
        "download",
        *wanted,
        cwd=apt / "packages",
        problem=offline,
    )
    for package in sorted((apt / "packages").glob("*.deb")):
        run("dpkg-deb", "-x", package, folder, problem=f"{package.name} is broken.")
    add_selfie_script(folder, npm)
    shutil.rmtree(apt)
    redirect_links(folder)
    given_tree(folder / TREE)


def add_selfie_script(folder, npm):
    cache = folder / ".npm"
    cache.mkdir()
    run(
        npm,
        "pack",
        SELFIE,
        cwd=cache,
        stderr=subprocess.DEVNULL,
        problem="The npm registry can't be reached: check the network and start again.",
    )
    [archive] = cache.glob("*.tgz")
    shutil.unpack_archive(archive, cache, "gztar")
    target = folder / TREE / "odoo/addons/mail/static/lib/selfie_segmentation"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(cache / "package" / "selfie_segmentation.js", target)
    shutil.rmtree(cache)


def redirect_links(folder):
    """Let the packages' links to ``/usr/share`` lead to what was unpacked here."""
    for link in folder.rglob("*"):
        if not link.is_symlink():
            continue
        target = os.readlink(link)
        inside = folder / target.lstrip("/")
        if target.startswith("/") and os.path.lexists(inside):
            link.unlink()
            link.symlink_to(os.path.relpath(inside, link.parent))
