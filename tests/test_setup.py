"""The commands of setup/ say in one sentence what is wrong, leave nothing half-made.

Each runs in a ground of its own, so that nothing of the real one is touched.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "setup"))

from library import debian, ground  # noqa: E402


def command(name, *arguments, **environment):
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in ("ODOO_RC", "ODOO_PATH", "PYTHONPATH")
    }
    return subprocess.run(
        [sys.executable, ROOT / "setup" / name, *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def assert_one_sentence(result, *words):
    assert result.returncode != 0
    assert "Traceback" not in result.stderr, result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("setup/")
    for word in words:
        assert word in last, last


def test_unknown_option_of_demo(tmp_path):
    result = command("demo", "--colour", "red", HELPDESK_GROUND=str(tmp_path))
    assert_one_sentence(result, "--colour", "--help")


def test_unknown_addon_of_test(tmp_path):
    result = command("test", "--addons", "helpdesk_x", HELPDESK_GROUND=str(tmp_path))
    assert_one_sentence(result, "helpdesk_x", "helpdesk_refund")


def test_port_that_is_taken(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = command("demo", "--port", port, HELPDESK_GROUND=str(tmp_path))
    assert_one_sentence(result, port, "--port")


@pytest.mark.parametrize("path", ["/nowhere", str(ROOT)])
def test_wrong_odoo_path(path):
    result = command("odoo", "--version", ODOO_PATH=path)
    assert_one_sentence(result, "ODOO_PATH", "odoo/release.py")


def test_another_version_of_odoo(tmp_path):
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo" / "release.py").write_text("version_info = (18, 0, 0)")
    result = command("odoo", "--version", ODOO_PATH=str(tmp_path))
    assert_one_sentence(result, "not Odoo 19.0")


def test_odoo_path_that_may_not_be_read(monkeypatch):
    """As for an ordinary user, with a tree in the home of root."""

    def denied(_path):
        raise PermissionError("Permission denied")

    monkeypatch.setenv("ODOO_PATH", "/private/odoo")
    monkeypatch.setattr(debian.Path, "is_file", denied)
    with pytest.raises(ground.Problem, match="ODOO_PATH=/private/odoo may not be read"):
        debian.odoo_tree()


def test_postgres_that_does_not_answer():
    result = command("odoo", "--version", PGHOST="127.0.0.1", PGPORT="1")
    assert_one_sentence(result, "PGHOST=127.0.0.1")


def test_no_network(tmp_path):
    nowhere = "http://127.0.0.1:1"
    proxies = {f"{kind}_proxy": nowhere for kind in ("http", "https")}
    result = command(
        "odoo",
        "--version",
        HELPDESK_GROUND=str(tmp_path),
        PIP_INDEX_URL=nowhere,
        PIP_RETRIES="0",
        **proxies,
    )
    assert_one_sentence(result, "check the network")
    assert not (tmp_path / "python").exists(), "nothing half-made is taken for whole"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_no_space_left(tmp_path):
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "x", tmp_path]
    ).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        result = command("odoo", "--version", HELPDESK_GROUND=str(tmp_path))
        assert_one_sentence(result, "space")
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


def test_environment_is_kept_by_its_own_python():
    """setup/odoo started from the environment it has made doesn't make it again."""
    made = Path(sys.prefix).stat().st_ino
    assert not command("odoo", "--version").returncode
    assert Path(sys.prefix).stat().st_ino == made


def test_killed_build_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(ground, "GROUND", tmp_path)

    def broken(folder):
        (folder / "half").touch()
        raise ground.Problem("the connection broke")

    with pytest.raises(ground.Problem):
        ground.build("thing", "1", "making a thing", broken)
    assert not (tmp_path / "thing").exists()
    folder = ground.build("thing", "1", "making a thing", lambda f: (f / "all").touch())
    assert [path.name for path in folder.iterdir() if path.name[0] != "."] == ["all"]
    # Complete: not made again. Made of something else: made again.
    ground.build("thing", "1", "making a thing", broken)
    folder = ground.build("thing", "2", "making a thing", lambda f: (f / "new").touch())
    assert (folder / "new").exists()


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "debian.sources",
            "Types: deb\nURIs: https://mirror.example.org/debian-security\n"
            "Suites: bookworm-security\n\nTypes: deb\n"
            "URIs: https://mirror.example.org/debian/\nSuites: bookworm\n"
            "Signed-By: /usr/share/keyrings/debian.gpg\n",
            ("https://mirror.example.org/debian/", "/usr/share/keyrings/debian.gpg"),
        ),
        (
            "sources.list",
            "# old\n"
            "deb [signed-by=/k.gpg] https://mirror.example.org/debian trixie main\n",
            ("https://mirror.example.org/debian", "/k.gpg"),
        ),
    ],
)
def test_source_is_derived_from_the_machines_own(
    tmp_path, monkeypatch, file, text, expected
):
    folder = tmp_path / "sources.list.d" if file.endswith(".sources") else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / file).write_text(text)
    monkeypatch.setattr(debian, "APT", tmp_path)
    assert debian.machine_source() == expected


def test_no_registry_is_named():
    """The project derives its addresses from the machine."""
    names = "|".join(("pypi" + r"\.org", "npmjs" + r"\.", "deb" + r"\.debian"))
    found = subprocess.run(
        ["git", "grep", "-nIE", names, "--", ":!tests/test_setup.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
