"""Odd and hostile mails of our own making, as programs and machines write them.

Each is ``(name, kind, words, mail)``: the name says what is odd, ``words`` must be read
on the ticket. Kinds:

``ticket``  a new ticket, and its sender is told that it was received
``quiet``   a new ticket, and nothing is sent to anybody but colleagues
``answer``  a message in the ticket that was asked about, told to its agent
``nothing`` neither a ticket nor a message

``{to}`` is the address of the team, ``{sent}`` the Message-ID of our answer, ``{id}`` a
new one. A mail without headers gets the usual ones.
"""

# A picture of one pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGA"
    "qaenowAAAABJRU5ErkJggg=="
)
USUAL = {
    "From": "Berta Birch <berta@birch.example.com>",
    "To": "{to}",
    "Subject": "Broken lamp",
    "Message-ID": "{id}",
    "Date": "Mon, 2 Mar 2026 09:15:00 +0100",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
}


def mail(body="The lamp is broken.", **headers):
    """Return a mail as bytes. ``_`` stands for ``-``; None leaves a header out."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [
        f"{name}: {value}".encode()
        for name, value in (USUAL | named).items()
        if value is not None
    ]
    body = body if isinstance(body, bytes) else body.encode()
    return b"\r\n".join([*lines, b"", body.replace(b"\n", b"\r\n"), b""])


def html(body, **headers):
    return mail(body, Content_Type="text/html; charset=utf-8", **headers)


def parts(kind, *bodies, **headers):
    """Return a mail of several parts; each is ``(headers, body)``."""
    body = "".join(f"--=_b\n{head}\n\n{text}\n" for head, text in bodies) + "--=_b--\n"
    kind = f'multipart/{kind}; boundary="=_b"'
    return mail(body, Content_Type=kind, **headers)


def reply(body, kind="text/plain", **headers):
    headers = {"In_Reply_To": "{sent}", "References": "{sent}"} | headers
    return mail(
        body,
        Subject="Re: Broken lamp",
        Content_Type=f"{kind}; charset=utf-8",
        **headers,
    )


QUOTED = "On Mon, 2 Mar 2026, Customer Care wrote:"
PLAIN = "Content-Type: text/plain; charset=utf-8"
HTML = "Content-Type: text/html; charset=utf-8"

# -- Answers, as programs write them -------------------------------------------
ANSWERS = [
    (
        "Outlook",
        reply(
            '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>'
            "p.MsoNormal {margin:0}</style></head><body><div class=WordSection1>"
            "<p class=MsoNormal>It still flickers<o:p></o:p></p><div><div style='"
            "border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>From:"
            "</b> Customer Care<br><b>Sent:</b> Monday</p></div></div></div></body>",
            "text/html",
            Thread_Index="AQHa1234",
            X_Mailer="Microsoft Outlook 16.0",
        ),
    ),
    (
        "Outlook on the web",
        reply(
            '<div class="elementToProof">It still flickers</div><div id="appendonsend">'
            '</div><hr><div id="divRplyFwdMsg"><b>From:</b> Care</div>',
            "text/html",
        ),
    ),
    (
        "Gmail",
        reply(
            '<div dir="ltr">It still flickers</div><br><div class="gmail_quote">'
            f'<div dir="ltr" class="gmail_attr">{QUOTED}</div><blockquote class="'
            'gmail_quote" style="margin:0">Please tell us more</blockquote></div>',
            "text/html",
        ),
    ),
    (
        "Apple Mail",
        reply(
            '<html><body style="line-break: after-white-space">It still flickers<br>'
            f'<div><blockquote type="cite">{QUOTED}<br></blockquote></div></body>',
            "text/html",
            X_Mailer="Apple Mail (2.3774)",
        ),
    ),
    (
        "iPhone",
        reply(f"It still flickers\n\nSent from my iPhone\n\n> {QUOTED}\n> Hello"),
    ),
    (
        "Android",
        reply(
            '<html><body><div>It still flickers</div><div id="composer_signature">'
            "Sent from my Galaxy</div></body></html>",
            "text/html",
        ),
    ),
    (
        "Thunderbird",
        reply(
            f"{QUOTED}\n> Please tell us more\n\nIt still flickers\n\n-- \nBerta",
            "text/plain; format=flowed",
        ),
    ),
    ("Yahoo", reply(f"It still flickers\n\n   {QUOTED}\n\n Hello")),
    (
        "Lotus Notes",
        reply('<font size=2 face="sans-serif">It still flickers</font>', "text/html"),
    ),
    ("text above a long line", reply("It still flickers\n" + "x" * 5000)),
    (
        "only References",
        reply("It still flickers", In_Reply_To=None),
    ),
    (
        "many References, ours among them",
        reply(
            "It still flickers",
            In_Reply_To="<other@birch.example.com>",
            References="<a@b.example.com> {sent} <other@birch.example.com>",
        ),
    ),
    ("folded References", reply("It still flickers", References="<a@b>\r\n {sent}")),
    ("another subject", mail("It still flickers", Subject="Hm", In_Reply_To="{sent}")),
    (
        "no subject",
        mail("It still flickers", Subject=None, In_Reply_To="{sent}"),
    ),
    (
        "a picture in the text",
        parts(
            "related",
            ("Content-Type: text/html", 'It still flickers <img src="cid:p1">'),
            (
                "Content-Type: image/png\nContent-ID: <p1>\n"
                "Content-Transfer-Encoding: base64",
                PNG,
            ),
            In_Reply_To="{sent}",
        ),
    ),
]

# -- First mails ---------------------------------------------------------------
FIRST = [
    ("no subject", mail(Subject=None), "lamp"),
    ("empty subject", mail(Subject=""), "lamp"),
    ("no body", mail(""), ""),
    ("only blanks", mail(" \n\t\n"), ""),
    ("no date", mail(Date=None), "lamp"),
    ("a date that is none", mail(Date="yesterday, I think"), "lamp"),
    ("a date in the year 1", mail(Date="Mon, 01 Jan 0001 00:00:00 +0000"), "lamp"),
    ("no Message-ID", mail(Message_ID=None), "lamp"),
    ("bare address", mail(From="berta@birch.example.com"), "lamp"),
    ("capital letters", mail(From="BERTA@BIRCH.EXAMPLE.COM"), "lamp"),
    ("name in quotes", mail(From='"Birch, Berta" <berta@birch.example.com>'), "lamp"),
    ("name with a comma", mail(From="Birch, Berta <berta@birch.example.com>"), ""),
    ("comment", mail(From="berta@birch.example.com (Berta Birch)"), "lamp"),
    (
        "encoded name",
        mail(From="=?utf-8?B?QmVydGEgxb5pdHA=?= <berta@birch.example.com>"),
        "lamp",
    ),
    (
        "an address in the name",
        mail(From='"a@b.example.com" <berta@birch.example.com>'),
        "",
    ),
    (
        "subject in parts",
        mail(Subject="=?utf-8?Q?Gr=C3=B6=C3=9Fe?=\r\n =?utf-8?Q?_XL?="),
        "",
    ),
    ("encoded word that is broken", mail(Subject="=?utf-8?Q?Gr=ZZ=?="), "lamp"),
    ("character set that is none", mail(Subject="=?x-klingon?Q?Qapla=27?="), "lamp"),
    (
        "line break in the subject",
        mail(Subject="=?utf-8?Q?A=0D=0ABcc:_x@y.example?="),
        "",
    ),
    ("a subject of 10,000 letters", mail(Subject="long " * 2000), "lamp"),
    ("right to left", mail(Subject="‮gpj.exe‬ שלום", Body=None), "lamp"),
    ("emoji", mail("🔥🔥 the lamp 👩‍👩‍👧 \U0001f1e7\U0001f1ea", Subject="🔥"), "🔥"),
    ("zero-width and combined", mail("l​amp é́"), "amp"),
    ("NUL", mail("the lamp\0 is dead"), "lamp"),
    ("bare line feeds only", mail("one\ntwo\n\n\nlamp"), "lamp"),
    (
        "windows-874",
        mail(
            "โคมไฟ lamp".encode("cp874"), Content_Type="text/plain; charset=windows-874"
        ),
        "โคมไฟ",
    ),
    (
        "iso-8859-8-i",
        mail(
            "מנורה lamp".encode("iso-8859-8"),
            Content_Type="text/plain; charset=iso-8859-8-i",
        ),
        "מנורה",
    ),
    (
        "UTF-7",
        mail("Gr+APYA3w-e lamp", Content_Type="text/plain; charset=utf-7"),
        "lamp",
    ),
    (
        "iso-2022-jp",
        mail(
            "電灯 lamp".encode("iso-2022-jp"),
            Content_Type="text/plain; charset=iso-2022-jp",
        ),
        "電灯",
    ),
    (
        "koi8-r",
        mail("лампа".encode("koi8-r"), Content_Type="text/plain; charset=koi8-r"),
        "лампа",
    ),
    (
        "gb2312",
        mail("灯".encode("gb2312"), Content_Type="text/plain; charset=gb2312"),
        "灯",
    ),
    (
        "a character set that nobody knows",
        mail(Content_Type="text/plain; charset=x-unknown"),
        "lamp",
    ),
    (
        "quoted-printable that is broken",
        mail("lamp =ZZ =3", Content_Transfer_Encoding="quoted-printable"),
        "lamp",
    ),
    ("base64 that is broken", mail("!!!!", Content_Transfer_Encoding="base64"), ""),
    ("an encoding that is none", mail(Content_Transfer_Encoding="rot13"), "lamp"),
    ("no type", mail(Content_Type=None, MIME_Version=None), "lamp"),
    ("a type that is none", mail(Content_Type="lamp"), "lamp"),
    ("no boundary", mail(Content_Type="multipart/mixed"), ""),
    ("enriched text", mail(Content_Type="text/enriched; charset=utf-8"), ""),
    ("script", html("<script>alert(1)</script>lamp <b onclick='x()'>b</b>"), "lamp"),
    ("form", html("lamp <form action='https://evil.example'><input></form>"), "lamp"),
    ("style that hides", html("<style>* {display: none}</style>lamp"), "lamp"),
    (
        "picture of a stranger",
        html("lamp <img src='http://evil.example/x.gif'>"),
        "lamp",
    ),
    ("tags that never close", html("<div><table><tr><td>lamp<p><b><i>"), "lamp"),
    ("sixty tables", html("<table><tr><td>" * 60 + "lamp"), "lamp"),
    ("a template", html("lamp {{ object.access_token }} <t t-out='user'/>"), "lamp"),
    ("data: links", html("<a href='javascript:x()'>lamp</a>"), "lamp"),
    (
        "five hundred in copy",
        mail(Cc=", ".join(f"p{n}@x.example" for n in range(500))),
        "",
    ),
    (
        "hidden recipients",
        mail(To="undisclosed-recipients:;", Delivered_To="{to}"),
        "lamp",
    ),
    ("group in To", mail(To="Team: {to};"), "lamp"),
    ("twice in To", mail(To="{to}, Care <{to}>", Cc="{to}"), "lamp"),
    (
        "path in the name of a file",
        parts(
            "mixed",
            (PLAIN, "lamp"),
            (
                "Content-Type: text/plain\nContent-Disposition: attachment; "
                'filename="../../etc/passwd"',
                "x",
            ),
        ),
        "lamp",
    ),
    (
        "file without a name",
        parts("mixed", (PLAIN, "lamp"), ("Content-Type: application/pdf", "%PDF-")),
        "lamp",
    ),
    (
        "winmail.dat",
        parts(
            "mixed",
            (PLAIN, "lamp"),
            (
                'Content-Type: application/ms-tnef; name="winmail.dat"\n'
                "Content-Transfer-Encoding: base64",
                "eJ8+IgAA",
            ),
        ),
        "lamp",
    ),
    (
        "an appointment",
        parts(
            "alternative",
            (PLAIN, "lamp"),
            (
                "Content-Type: text/calendar; method=REQUEST",
                "BEGIN:VCALENDAR\nEND:VCALENDAR",
            ),
        ),
        "lamp",
    ),
    (
        "forwarded as a file",
        parts(
            "mixed",
            (PLAIN, "lamp"),
            (
                "Content-Type: message/rfc822",
                "From: carl@carl.example.com\nSubject: Old\nMessage-ID: <o@x.example>"
                "\n\nInside",
            ),
        ),
        "lamp",
    ),
    (
        "signed",
        parts(
            'signed; protocol="application/pkcs7-signature"; micalg=sha-256',
            (PLAIN, "lamp"),
            ("Content-Type: application/pkcs7-signature; name=smime.p7s", "MIIB"),
        ),
        "lamp",
    ),
    (
        "a picture and no word",
        mail(
            PNG,
            Content_Type='image/png; name="lamp.png"',
            Content_Transfer_Encoding="base64",
        ),
        "",
    ),
    (
        "empty HTML",
        parts("alternative", (PLAIN, "the lamp"), (HTML, "<p>&nbsp;</p><br>")),
        "lamp",
    ),
    ("no HTML to speak of", parts("alternative", (PLAIN, "lamp"), (HTML, "")), "lamp"),
    ("no From but a Sender", mail(From=None, Sender="berta@birch.example.com"), "lamp"),
    (
        "in blind copy",
        mail(To="boss@birch.example.com", X_Original_To="{to}"),
        "lamp",
    ),
    ("nobody in To", mail(To="undisclosed-recipients:;", Envelope_To="{to}"), "lamp"),
    ("a Message-ID like others", mail(Message_ID="<1@x>"), "lamp"),
    (
        "its Message-ID was used by others",
        mail("lamp two", Message_ID="<1@x>", Date="Tue, 3 Mar 2026 09:00:00 +0100"),
        "lamp two",
    ),
    ("another Reply-To", mail(Reply_To="berta@private.example.com"), "lamp"),
    ("a forged origin", mail(X_Helpdesk_Origin="0" * 64), "lamp"),
    ("priority", mail(X_Priority="1", Importance="high"), "lamp"),
    ("references of others", mail(References="<x@nowhere.example>"), "lamp"),
]

# -- Machines ------------------------------------------------------------------
QUIET = [
    ("out of office", mail(Auto_Submitted="auto-replied")),
    ("a notice", mail(Auto_Submitted="auto-generated")),
    ("Exchange, no answers", mail(X_Auto_Response_Suppress="All")),
    ("vacation", mail(Precedence="auto_reply")),
    ("newsletter", mail(Precedence="bulk", List_Unsubscribe="<mailto:x@y.example>")),
    ("a list", mail(List_Id="<lamps.lists.example.com>", Precedence="list")),
    ("autoreply of an old program", mail(X_Autoreply="yes")),
    ("null return path", mail(Return_Path="<>")),
]
NOTHING = [
    ("delivered twice", mail(Message_ID="<1@x>")),
    ("from our own address", mail(From="{to}")),
    ("from our own address, with a name", mail(From='"Care" <{to}>')),
]

MAILBOX = [
    *((f"answer: {name}", "answer", "flickers", raw) for name, raw in ANSWERS),
    *((name, "ticket", words, raw) for name, raw, words in FIRST),
    *((name, "quiet", "lamp", raw) for name, raw in QUIET),
    *((name, "nothing", "", raw) for name, raw in NOTHING),
]
