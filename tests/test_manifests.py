"""The addons agree with each other, and with what the project promises."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASE = "helpdesk_after_sales"
MANIFESTS = {
    path.parent.name: ast.literal_eval(path.read_text())
    for path in sorted(ROOT.glob("helpdesk_*/__manifest__.py"))
}
BRIDGES = sorted(set(MANIFESTS) - {BASE})


@pytest.mark.parametrize("addon", MANIFESTS)
def test_every_manifest_says_the_same(addon):
    manifest = MANIFESTS[addon]
    assert re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", manifest["version"])
    assert manifest["license"] == "LGPL-3"
    assert manifest["author"] == "Helpdesk After-Sales"
    assert manifest["category"] == "Services/Helpdesk"
    assert not manifest.get("auto_install"), "only the switch installs a service"
    for file in manifest.get("data", []) + manifest.get("demo", []):
        assert (ROOT / addon / file).is_file(), file


@pytest.mark.parametrize("addon", MANIFESTS)
def test_every_addon_has_what_the_apps_menu_shows(addon):
    folder = ROOT / addon
    assert len((folder / "README.rst").read_text()) > 500
    assert (folder / "static" / "description" / "icon.png").stat().st_size > 1000
    assert (folder / "i18n" / f"{addon}.pot").is_file()
    assert 'build-backend = "whool.buildapi"' in (folder / "pyproject.toml").read_text()


def test_every_data_file_is_in_its_manifest():
    for addon, manifest in MANIFESTS.items():
        listed = {*manifest.get("data", []), *manifest.get("demo", [])}
        for folder in ("data", "demo", "security", "views", "wizards", "report"):
            for path in (ROOT / addon / folder).glob("*"):
                if path.suffix in (".xml", ".csv"):
                    assert f"{folder}/{path.name}" in listed, path


@pytest.mark.parametrize("addon", BRIDGES)
def test_bridges_need_the_base_and_no_sibling(addon):
    depends = set(MANIFESTS[addon]["depends"])
    assert BASE in depends
    assert not depends & set(BRIDGES)
    siblings = "|".join(set(BRIDGES) - {addon}) or "-"
    for path in (ROOT / addon).rglob("*.py"):
        imported = rf"^\s*(from|import) odoo\.addons\.({siblings})\b"
        assert not re.search(imported, path.read_text(), re.M), path


def test_base_excludes_the_applications_with_the_same_models():
    assert {"helpdesk", "helpdesk_mgmt"} <= set(MANIFESTS[BASE]["excludes"])


def test_metapackage_lists_every_addon():
    text = (ROOT / "setup" / "_metapackage" / "pyproject.toml").read_text()
    listed = set(re.findall(r"odoo-addon-(helpdesk_\w+)==19\.0\.\*", text))
    assert listed == set(MANIFESTS)


def test_image_holds_every_addon():
    text = (ROOT / "setup" / "Dockerfile").read_text()
    copied = re.findall(r"^COPY .* (helpdesk_\w+) /mnt/extra-addons/\1$", text, re.M)
    assert set(copied) == set(MANIFESTS)


def test_top_level_holds_what_it_should():
    allowed = {*MANIFESTS, "docs", "setup", "tests", "LICENSE", "README.md"}
    allowed |= {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
    allowed |= {"pyproject.toml", "eslint.config.cjs", "prettier.config.cjs"}
    tools = {"build", "node_modules"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - tools <= allowed
    assert "README.md" in found


def test_sudo_says_what_was_checked():
    """`sudo()` outside of tests stands by a comment that says why it may be."""
    bare = []
    for path in ROOT.glob("helpdesk_*/**/*.py"):
        if "tests" in path.parts:
            continue
        text = path.read_text()
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or node.args:
                continue
            if getattr(node.func, "attr", "") != "sudo":
                continue
            line = node.func.end_lineno
            if not re.search(r"#", "\n".join(lines[max(0, line - 9) : line + 1])):
                bare.append(f"{path.relative_to(ROOT)}:{line}")
    assert not bare
