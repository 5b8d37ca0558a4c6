"""Texts of strangers."""

from lxml import etree, html
from markupsafe import Markup

# What the editor of the web client brings to life in a text.
COMPONENTS = ("data-embedded", "data-behavior")


def drop_components(body):
    """Return the HTML of a mail without what the web client would take for components
    of its editor."""
    if not body or not any(name in body.lower() for name in COMPONENTS):
        return body
    try:
        tree = html.fragment_fromstring(str(body), create_parent="div")
    except (etree.ParserError, ValueError):
        return body
    for element in tree.iter(etree.Element):
        for name in element.attrib:
            if name.lower().startswith(COMPONENTS):
                del element.attrib[name]
    return Markup(html.tostring(tree, encoding="unicode"))
