#!/usr/bin/env python3
"""A remote operator for Tsuzuku, see ../carrier-contract.md. Standard library only.

    KEY=whsec_... python3 remote_operator.py [port [database file]]

This one keeps its lines in its own database: replace operator_extend,
operator_issue, line_of and what cancel and withdraw do by calls to the operator. Everything else can stay.
"""
import base64, hashlib, hmac, json, os, re, sqlite3, sys, threading, time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = [base64.b64decode(k.removeprefix("whsec_")) for k in os.environ["KEY"].split()]  # two while it is being changed
FRESH = 300
PACKAGES = {"JP5": (5 << 30, 30, False), "JP_DAY": (1 << 30, 1, True)}  # bytes, days, sold by the day
NEW = {"JP_NEW": (5 << 30, 30, False), "JP_NEW_DAY": (1 << 30, 1, True)}  # those that come with a new line
CAPABILITIES = {"contract": 1, "modes": ["extend"], "after_end_seconds": 0, "active_only": False, "per_day": True, "cancel": True, "issues": True, "withdraws": True,
                "usage_delay_seconds": 0, "settles_within_seconds": 900, "calls_per_second": 8}
lock = threading.Lock()  # one at a time is enough for a small shop
db = sqlite3.connect(sys.argv[2] if len(sys.argv) > 2 else ":memory:", check_same_thread=False)
db.executescript("""PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS asked (ref TEXT PRIMARY KEY, request TEXT, state TEXT, receipt TEXT);
    CREATE TABLE IF NOT EXISTS gone (line TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS lines (id TEXT PRIMARY KEY, iccid TEXT, starts INTEGER, ends INTEGER, total INTEGER, used INTEGER);""")

class Refused(Exception):  # a definite no: nothing was changed
    pass

def instant(t):
    return datetime.fromtimestamp(t, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")

def need(ok, reason="bad_request", text="a value is missing or out of range"):
    if not ok:
        raise Refused(reason, text)

def line_of(q):
    line = q.get("line")
    need(isinstance(line, dict) and isinstance(line.get("id"), str) and 0 < len(line["id"]) <= 100, text="line.id is needed")
    iccid = line.get("iccid")
    need(iccid is None or isinstance(iccid, str) and re.fullmatch("[0-9]{18,20}", iccid), text="an ICCID has 18 to 20 digits")
    row = db.execute("SELECT id, iccid, starts, ends, total, used FROM lines WHERE id = ?", [line["id"]]).fetchone()
    need(row and iccid in (None, row[1]), "line_unknown", "no such line")
    return row

def operator_extend(line, package, days):
    """Asks the operator. Returns the receipt; raises Refused; anything else is: nobody knows."""
    size, length, per_day = PACKAGES[package]
    n = days if per_day else 1
    ends = line[3] + n * length * 86400
    db.execute("UPDATE lines SET ends = ?, total = total + ? WHERE id = ?", [ends, n * size, line[0]])
    receipt = {"ref": "op-%d" % time.time_ns(), "total_bytes": line[4] + n * size}
    return receipt if line[2] is None else {**receipt, "ends_at": instant(ends)}

def ref_of(q):
    need(isinstance(q.get("ref"), str) and re.fullmatch("[0-9a-z_]{1,40}", q["ref"]), text="ref is 1 to 40 of [0-9a-z_]")
    return q["ref"]

def wish(q, packages):
    package, days = q.get("package"), q.get("days")
    need(isinstance(package, str) and 0 < len(package) <= 100)
    need(package in packages, "package_gone", "no such package")
    per_day = packages[package][2]
    need(type(days) is int and 1 <= days <= 365 if per_day else days is None, text="days: 1 to 365, for a package that is sold by the day")
    return package, days

def asked_before(ref, request, name):
    old = db.execute("SELECT request, state, receipt FROM asked WHERE ref = ?", [ref]).fetchone()
    if not old:
        return None
    need(old[0] == request, text="this ref was used for something else")
    need(old[1] != "cancelled", text="this ref was cancelled")
    return {"outcome": "done", name: json.loads(old[2])} if old[1] == "done" else {"outcome": "unknown"}

def is_gone(line):
    return db.execute("SELECT 1 FROM gone WHERE line = ?", [line[0]]).fetchone() is not None

def extend(q):
    ref, line, (package, days) = ref_of(q), line_of(q), wish(q, PACKAGES)
    request = json.dumps([line[0], package, days])
    if old := asked_before(ref, request, "receipt"):
        return old
    need(not is_gone(line), "line_terminal", "the line was taken back")
    need(line[2] is None or line[3] > time.time(), "line_ended", "the line has ended")
    # Here the operator is this database, and both are one transaction; with another's API commit 'asked' before calling it.
    with db:
        db.execute("INSERT INTO asked VALUES (?, ?, 'asked', NULL)", [ref, request])
        receipt = operator_extend(line, package, days)
        db.execute("UPDATE asked SET state = 'done', receipt = ? WHERE ref = ?", [json.dumps(receipt), ref])
    return {"outcome": "done", "receipt": receipt}

def operator_issue(package, days):
    """Orders a new line. Returns what was made; raises Refused; anything else is: nobody knows."""
    size, length, per_day = NEW[package]
    n, number = days if per_day else 1, db.execute("SELECT COUNT(*) FROM lines").fetchone()[0]
    line, iccid, code = "N%d" % number, "8944%015d" % number, "LPA:1$rsp.operator.example$" + os.urandom(8).hex().upper()
    db.execute("INSERT INTO lines VALUES (?, ?, NULL, ?, ?, 0)", [line, iccid, n * length * 86400, n * size])  # its end is a length until it starts
    return {"ref": "op-%d" % time.time_ns(), "line": {"id": line, "iccid": iccid}, "code": code}

def issue(q):
    ref, (package, days) = ref_of(q), wish(q, NEW)
    request = json.dumps(["new", package, days])
    if old := asked_before(ref, request, "issued"):
        return old
    with db:  # as in extend
        db.execute("INSERT INTO asked VALUES (?, ?, 'asked', NULL)", [ref, request])
        made = operator_issue(package, days)
        db.execute("UPDATE asked SET state = 'done', receipt = ? WHERE ref = ?", [json.dumps(made), ref])
    return {"outcome": "done", "issued": made}

def unwanted(q):
    """The line that a ref made, and what became of it: here a phone has it when it has begun."""
    ref, line = ref_of(q), line_of(q)
    old = db.execute("SELECT request, receipt FROM asked WHERE ref = ? AND state = 'done'", [ref]).fetchone()
    need(old and json.loads(old[0])[0] == "new" and json.loads(old[1])["line"]["id"] == line[0], "line_unknown", "this ref did not make that line")
    return line, "gone" if is_gone(line) else "there" if line[2] is None else "installed"

def withdraw(q):
    line, fate = unwanted(q)
    need(fate != "installed", "installed", "a phone has it")
    with db:  # with another's API: what it did not answer is "unknown", and unwanted() asks it what became of the line
        db.execute("INSERT OR IGNORE INTO gone VALUES (?)", [line[0]])
    return {"outcome": "done"}

def lookup_withdraw(q):
    began = time.time()
    return {"fate": unwanted(q)[1], "as_of": instant(began)}

def lookup(q, name="receipt"):
    began, old = time.time(), db.execute("SELECT state, receipt FROM asked WHERE ref = ?", [ref_of(q)]).fetchone()
    if old and old[0] == "done":
        return {"found": "done", "as_of": instant(began), name: json.loads(old[1])}
    return {"found": "unsure" if old and old[0] == "asked" else "absent", "as_of": instant(began)}

def cancel(q):
    old = db.execute("SELECT state, request FROM asked WHERE ref = ?", [ref_of(q)]).fetchone()
    need(old and json.loads(old[1])[0] != "new", "operator_refuses", "there is no such extension")
    need(old[0] != "asked", "in_progress", "it is not clear yet")
    if old[0] == "done":
        line, package, days = json.loads(old[1])
        size, length, _ = PACKAGES[package]
        left = db.execute("SELECT total - used FROM lines WHERE id = ?", [line]).fetchone()[0]
        need(left >= (days or 1) * size, "operator_refuses", "it was used")
        with db:
            db.execute("UPDATE lines SET ends = ends - ?, total = total - ? WHERE id = ?", [(days or 1) * length * 86400, (days or 1) * size, line])
            db.execute("UPDATE asked SET state = 'cancelled' WHERE ref = ?", [q["ref"]])
    return {"outcome": "done"}

def status(q):
    line = line_of(q)
    _, _, starts, ends, total, used = line
    if is_gone(line):
        return {"state": "terminal", "as_of": instant(time.time())}
    if starts is None:
        return {"state": "new", "total_bytes": total, "used_bytes": used, "as_of": instant(time.time())}
    state = "ended" if ends <= time.time() else "depleted" if used >= total else "active"
    return {"state": state, "starts_at": instant(starts), "ends_at": instant(ends), "total_bytes": total, "used_bytes": used, "as_of": instant(time.time())}

def packages(q):
    if q.get("line") is not None:
        line_of(q)
    return {"packages": [{"code": c, "name": c, "cost": {"units": 45000, "scale": 10000, "currency": "USD"}, "bytes": b, "days": d, "per_day": p,
                          "new": c in NEW, "as_of": instant(time.time() - 1)} for c, (b, d, p) in {**PACKAGES, **NEW}.items()]}

CALLS = {"capabilities": lambda q: CAPABILITIES, "health": lambda q: {"ok": True, "now": instant(time.time())}, "extend": extend, "lookup": lookup,
         "issue": issue, "lookup_issue": lambda q: lookup(q, "issued"), "withdraw": withdraw, "lookup_withdraw": lookup_withdraw,
         "cancel": cancel, "status": status, "packages": packages, "balance": lambda q: {"balance": {"units": 0, "scale": 100, "currency": "USD"}}}

def signatures(id_, timestamp, body):
    return ["v1," + base64.b64encode(hmac.new(k, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()).decode() for k in KEYS]

class Door(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", 1 << 16

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # they hung up, and will look up what became of it

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > 64 << 10:
            self.close_connection = True
            return self.say(413)
        body = self.rfile.read(int(length))
        id_, at = self.headers.get("Webhook-Id", ""), self.headers.get("Webhook-Timestamp", "")
        given = self.headers.get("Webhook-Signature", "").split()
        ours = signatures(id_, at, body)
        if not (re.fullmatch("[0-9]{1,12}", at) and abs(time.time() - int(at)) <= FRESH
                and any([hmac.compare_digest(a.encode(), b.encode()) for a in ours for b in given])):
            return self.say(401)
        try:
            q = json.loads(body)
            call = CALLS[q["call"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return self.say(400)
        with lock:
            try:
                answer = call(q)
            except Refused as no:
                answer = {"outcome": "refused", "reason": no.args[0], "text": no.args[1]}
        self.say(200, json.dumps({"answer": q["call"], **answer}).encode(), "re_" + id_)

    def say(self, code, body=b"", id_=""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if id_:
            at = str(int(time.time()))
            for name, value in [("Content-Type", "application/json"), ("Webhook-Id", id_), ("Webhook-Timestamp", at),
                                ("Webhook-Signature", " ".join(signatures(id_, at, body)))]:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    log_message = lambda self, *args: None  # ICCIDs do not belong into logs

if __name__ == "__main__":
    with db:
        for line, iccid, ends in [("L1", "8981100000000000017", 86400), ("L2", "8981100000000000025", -86400)]:  # to try it out
            db.execute("INSERT OR IGNORE INTO lines VALUES (?, ?, ?, ?, ?, 0)", [line, iccid, int(time.time()) - 200000, int(time.time()) + ends, 1 << 30])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8099), Door)
    print("listening on http://127.0.0.1:%d" % server.server_port, flush=True)
    server.serve_forever()
