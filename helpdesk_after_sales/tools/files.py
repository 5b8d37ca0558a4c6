"""Files of strangers: what they are, not what they call themselves, names them."""

import re
import unicodedata
from pathlib import PurePosixPath

from odoo.tools.mimetypes import guess_mimetype

from .reading import read_text

# What a file is called that was recognised by its content; the first one by default.
EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/bmp": (".bmp",),
    "image/svg+xml": (".svg.txt",),
    "application/pdf": (".pdf",),
    "application/zip": (".zip",),
}
# What nobody needs to open by a click: kept as a text.
ACTIVE = re.compile(
    r"\.(?:app|bat|chm|cmd|com|cpl|dll|exe|gadget|hta|html?|inf|iso|jar|jse?|lnk|mht(?:ml)?|"
    r"msc|msi|msp|ps1|psm1|reg|scf|scr|sct|sh|shtml|svgz?|swf|url|vb[es]?|wsc|wsf|wsh|"
    r"xht(?:ml)?|xml|xsl)$",
    re.IGNORECASE,
)


def name_file(name, content):
    """Return the name under which a file of a stranger is kept: no path, no hidden or
    double extension, and the extension of what it is.

    :param name: as it was sent
    :param content: bytes
    """
    name = re.split(r"[/\\]", read_text(name))[-1]
    name = "".join(c for c in name if unicodedata.category(c) != "Cc")
    name = " ".join(name.split()).strip(". ")
    path = PurePosixPath(name or "file")
    known = EXTENSIONS.get(guess_mimetype(content or b"", default="").split(";")[0])
    if known:
        extension = path.suffix.lower() if path.suffix.lower() in known else known[0]
    elif ACTIVE.search(path.name):
        extension = f"{path.suffix}.txt"
    else:
        extension = path.suffix
    # "photo.jpg.exe" is no photo: what looks like an extension within is none.
    stem = re.sub(r"\.(?=[A-Za-z][A-Za-z0-9]{0,4}(?:\.|$))", "_", path.stem)
    return f"{stem[:150]}{extension}"
