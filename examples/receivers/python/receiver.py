"""Receives webhooks of httpsms with nothing but Python's standard library.

    HTTPSMS_WEBHOOK_SIGNING_KEY='...' python3 receiver.py

HTTPSMS_VERIFY says by what a request is known: "standard", the headers of Standard Webhooks
(default), or "jwt", the token in Authorization. HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT is a second key
that is right too, while a new one takes over. HOST and PORT say where to listen: 127.0.0.1 and
9000.
"""

import base64
import collections
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 300  # seconds that the clocks of both sides may be apart
LARGEST = 1 << 20  # bytes of a body
REMEMBERED = 10_000  # ids of events


class Refused(Exception):
    """The request is not from the server, or not from now."""


def verify_standard(keys, headers, body, now):
    """webhook-signature has a `v1,` and an HMAC of id, time and body for each key that is valid."""
    event_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not event_id or not sent.isdecimal() or abs(now - int(sent)) > TOLERANCE:
        raise Refused("no webhook-id, or a webhook-timestamp that is not of now")
    signed = f"{event_id}.{sent}.".encode() + body
    given = headers.get("webhook-signature", "").encode().split(b" ")
    for key in keys:
        # A key that begins so is the base64 of the HMAC's key; any other is the key itself.
        secret = base64.b64decode(key[6:] + "==") if key.startswith("whsec_") else key.encode()
        expected = b"v1," + base64.b64encode(hmac.digest(secret, signed, "sha256"))
        if any(hmac.compare_digest(expected, signature) for signature in given):
            return
    raise Refused("no signature of ours in webhook-signature")


def verify_jwt(keys, headers, body, now):
    """Authorization has a JWT, signed with HS256 and the key as it was typed."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    signed, _, signature = token.rpartition(".")
    tags = [hmac.digest(key.encode(), signed.encode(), "sha256") for key in keys]
    if scheme.lower() != "bearer" or not any(
        hmac.compare_digest(base64url(tag), signature.encode()) for tag in tags
    ):
        raise Refused("no token of ours in Authorization")
    # Only now is it worth reading.
    try:
        header, claims = (json.loads(from_base64url(part)) for part in signed.split("."))
        of_now = claims["nbf"] <= now < claims["exp"]
        if header["alg"] != "HS256" or claims["iss"] != "api.httpsms.com" or not of_now:
            raise Refused("the token is not of the server, or not of now")
    except (ValueError, KeyError, TypeError):
        raise Refused("the token lacks something") from None
    # A webhook with `sign_body` vouches for the body too.
    digest = base64url(hashlib.sha256(body).digest()).decode()
    if claims.get("body", digest) != digest:
        raise Refused("the token is of another body")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Inbox:
    """What was taken and waits for its work; and which events were taken.

    In earnest this is a table with the event's id as its key: insert the event, then answer.
    """

    def __init__(self):
        self.waiting = queue.Queue(maxsize=1000)
        self.known = collections.OrderedDict()
        self.lock = threading.Lock()

    def take(self, event):
        """Whether the event is new. Raises queue.Full."""
        with self.lock:
            if event["id"] in self.known:
                return False
            self.waiting.put_nowait(event)
            self.known[event["id"]] = True
            if len(self.known) > REMEMBERED:
                self.known.popitem(last=False)
            return True

    def work(self):
        while True:
            try:
                handle(self.waiting.get())
            except Exception:
                traceback.print_exc()


def handle(event):
    """Your work. It may take its time: the answer has left."""
    print(event["type"], event["id"], flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            return self.answer(413, "too large")
        body = self.rfile.read(int(length))
        if self.path != "/webhook":
            return self.answer(404, "not found")
        try:
            VERIFY(KEYS, self.headers, body, time.time())
            event = json.loads(body)
            new = INBOX.take(event)
            self.answer(200, "taken" if new else "known")
        except Refused as reason:
            self.log_error("refused: %s", reason)
            self.answer(401, "unauthorized")
        except (ValueError, KeyError, TypeError):
            self.answer(400, "not an event")
        except queue.Full:
            self.answer(503, "try again")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        pass


KEY_NAMES = ("HTTPSMS_WEBHOOK_SIGNING_KEY", "HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT")
KEYS = [key for key in map(os.environ.get, KEY_NAMES) if key]
VERIFIERS = {"standard": verify_standard, "jwt": verify_jwt}
VERIFY = VERIFIERS[os.environ.get("HTTPSMS_VERIFY", "standard")]
INBOX = Inbox()

if __name__ == "__main__":
    if not KEYS:
        sys.exit("HTTPSMS_WEBHOOK_SIGNING_KEY is not set")
    threading.Thread(target=INBOX.work, daemon=True).start()
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "9000")))
    server = ThreadingHTTPServer(address, Handler)
    print(f"listening on http://{address[0]}:{server.server_port}", flush=True)
    server.serve_forever()
