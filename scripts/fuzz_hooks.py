"""What the fuzzer cannot make up by itself: files of messages, and signatures of Discord.

Loaded by schemathesis (SCHEMATHESIS_HOOKS). Requests stay its own; only what carries them is changed.
"""

import io
import json
import os
import random
import time
import zipfile
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(os.environ["FUZZ_DISCORD_SEED"]))
HEADER = "FromPhoneNumber,ToPhoneNumber,Content,SendTime(optional),AttachmentURLs(optional)"
ROW = "+18005550199,+18005550100,hello,,"
CELLS = ["", "+18005550199", "18005550100", "=1+1", "=HYPERLINK(\"x\")", "\"", "a;b", "\u0000", "x" * 3000,
         "2026-01-02T03:04:05Z", "2026-13-99 99:99:99", "9999-12-31T23:59:59Z", "https://example.com/a.png",
         "\ud7ff\U0001f600", "-1", "1e309", "<b>", "\t", "'"]
PARTS = ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
         "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"]


def table(chance):
    """CSV, mostly right, with anything in its cells, separators and encoding."""
    comma = chance.choice([",", ",", ";", "\t"])
    lines = [HEADER] + [ROW] * chance.randrange(4)
    for _ in range(chance.randrange(4)):
        lines.append(",".join(chance.choice(CELLS) for _ in range(chance.randrange(8))))
    if chance.random() < 0.05:
        lines += [ROW] * 1001
    text = chance.choice(["\n", "\r\n", "\r"]).join(line.replace(",", comma) for line in lines)
    coded = text.encode(chance.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"]), "replace")
    return damaged(chance, coded)


def sheet(chance):
    """XLSX: a package with parts that are right, missing, or something else; or a bomb."""
    rows = "".join(
        f'<row r="{row + 1}">' + "".join(cell(chance, row, column) for column in range(6)) + "</row>"
        for row in range(chance.randrange(5))
    )
    content = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relations("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>",
    }
    if chance.random() < 0.3:
        content[chance.choice(PARTS)] = chance.choice(["", "<", "<a/>", "\u0000", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
    if chance.random() < 0.1:
        content["xl/worksheets/sheet1.xml"] = " " * 60_000_000
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in content.items():
            if chance.random() > 0.03:
                package.writestr(name, text)
    return damaged(chance, file.getvalue())


def cell(chance, row, column):
    kind, value = chance.choice([
        ("inlineStr", "<is><t>+18005550199</t></is>"), ("n", "<v>18005550100</v>"), ("n", "<v>46023.5</v>"),
        ("n", "<v>1e400</v>"), ("s", "<v>7</v>"), ("str", "<f>1+1</f><v>2</v>"), ("b", "<v>1</v>"),
        ("e", "<v>#REF!</v>"), ("d", "<v>2026-01-02</v>"), ("x", "<v/>"),
    ])
    place = chance.choice([f"{chr(65 + column)}{row + 1}", "XFD1048576", "A0", "", "ZZZZZZ9"] if chance.random() < 0.1
                          else [f"{chr(65 + column)}{row + 1}"])
    return f'<c r="{place}" t="{kind}">{value}</c>'


def relations(kind, target):
    base = "http://schemas.openxmlformats.org"
    return (f'<Relationships xmlns="{base}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{base}/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>')


def damaged(chance, content):
    """Now and then cut short, or with other bytes in it."""
    content = bytearray(content)
    if content and chance.random() < 0.15:
        del content[chance.randrange(len(content)):]
    if content and chance.random() < 0.15:
        for _ in range(chance.randrange(1, 20)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def with_file(request):
    """Puts a file where the form has its document, most of the time."""
    chance = random.Random(repr(request.get("files") or request.get("data")))
    if chance.random() < 0.1:
        return
    fields = request.get("data") if isinstance(request.get("data"), dict) else {}
    fields = {name: value for name, value in (fields or {}).items() if name != "document"}
    make, ending, kind = chance.choice([(table, "csv", "text/csv"), (sheet, "xlsx", "application/octet-stream")])
    if chance.random() < 0.2:
        fields["mapping"] = json.dumps({"to": chance.choice([0, 1, "ToPhoneNumber", "nothing"]), "content": 2})
        fields["from"] = "+18005550199"
    elif chance.random() < 0.7:
        fields = {}
    request["data"] = fields
    request["files"] = {"document": (f"list.{ending}", make(chance), kind)}
    headers = request.get("headers") or {}
    for name in [name for name in headers if name.lower() == "content-type"]:
        del headers[name]


def signed(request):
    """Signs what Discord would, most of the time; often it is the command, of a known server."""
    said = request.get("json")
    if said is None and "data" not in request:
        return
    chance = random.Random(repr(said or request.get("data")))
    if chance.random() < 0.1:
        return
    if isinstance(said, dict) and chance.random() < 0.7:
        right = {"from": "+18005550199", "to": "+18005550100", "message": "hello"}
        options = [{"name": name, "value": value if chance.random() < 0.8 else chance.choice([*CELLS, 7, None, {}])}
                   for name, value in right.items() if chance.random() < 0.9]
        said = {"type": 2, "id": str(chance.randrange(50)), "guild_id": "1100000000000000001",
                "data": {"name": "httpsms", "options": options}} | (said if chance.random() < 0.2 else {})
    body = request.pop("data", None) if said is None else json.dumps(said).encode("utf-8", "replace")
    request.pop("json", None)
    body = body.encode("utf-8", "replace") if isinstance(body, str) else body
    if not isinstance(body, (bytes, bytearray)):
        request["data"] = body
        return
    at = str(int(time.time()))
    request["data"] = bytes(body)
    headers = dict(request.get("headers") or {})
    headers.update({
        "X-Signature-Timestamp": at,
        "X-Signature-Ed25519": KEY.sign(at.encode() + bytes(body)).hex(),
    })
    request["headers"] = headers


send = requests.Session.request


def changed(session, *args, **request):
    method = str(request.get("method") or (args[0] if args else "")).upper()
    path = urlsplit(str(request.get("url") or (args[1] if len(args) > 1 else ""))).path
    if method == "POST" and path in ("/v1/bulk-messages", "/v1/bulk-messages/preview"):
        with_file(request)
    if method == "POST" and path == "/discord/event":
        signed(request)
    return send(session, *args, **request)


requests.Session.request = changed
