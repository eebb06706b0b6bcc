#!/usr/bin/env python3
"""facts.py N..: writes client-v<n>.jsonl, what the database in client-v<n>.sql holds, one fact a line. It reads
the tables of versions from 3 on by itself, not through the library, whose reading is held against it."""
import json
import pathlib
import sqlite3
import struct
import sys
import tomllib
import uuid

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = tomllib.loads((HERE.parents[1] / "src/schema/schema.toml").read_text())["entity"]
BY_NO = {entity["no"]: name for name, entity in SCHEMA.items()}
KINDS = ["user", "video", "thread", "program", "coach", "organisation"]
OPS = {1: "create", 2: "patch", 3: "delete"}
# Searched for in each, the last word by its beginning.
SEARCHES = [("comment", "made"), ("comment", "elbow"), ("comment", "theirs"), ("comment", "mine tw"),
            ("comment", "ghost"), ("comment", "elsewhere"), ("message", "creme bru"), ("video", "x"),
            ("review", "eleve"), ("message", "place")]


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        assert self.at <= len(self.data)
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def zigzag(self):
        v = self.varint()
        return v >> 1 ^ -(v & 1)

    def text(self):
        return self.take(self.varint()).decode()

    def id(self):
        return str(uuid.UUID(bytes=bytes(self.take(16))))


def field_by_no(entity, no):
    return next(name for name, f in SCHEMA[entity]["fields"].items() if f["no"] == no)


def shown(field, value):
    """A column's value, or a packed one, as JSON has it."""
    kind = field["type"]
    if kind == "json":
        return json.loads(value)
    if kind == "bool":
        return bool(value)
    if kind == "ref" and isinstance(value, bytes):
        return str(uuid.UUID(bytes=value))
    return value.hex() if kind == "blob" and isinstance(value, bytes) else value


def read_clocks(r, entity):
    birth = r.take(12)
    clocks = {"*": birth.hex()} if any(birth[:8]) else {}
    while (no := r.varint()) != 0:
        name = field_by_no(entity, no)
        clocks[name] = r.take(12).hex() if r.byte() == 0 else json.loads(r.text())
    return clocks


def read_values(r, entity):
    values = {}
    readers = [lambda: None, r.zigzag, lambda: struct.unpack("<d", r.take(8))[0], r.text, r.id,
               lambda: r.take(32).hex()]
    while (no := r.varint()) != 0:
        name = field_by_no(entity, no)
        value = readers[r.byte()]()
        values[name] = None if value is None else shown(SCHEMA[entity]["fields"][name], value)
    return values


def wire(entity, ident, space, seq, deleted, fields, clocks):
    head = {"entity": entity, "id": ident, "space": space, "seq": seq}
    return head | ({"deleted": True} if deleted else {"fields": fields, "clocks": clocks})


def read_shadow(blob):
    r = Reader(blob)
    assert r.byte() == 1
    entity, ident, space = BY_NO[r.varint()], r.id(), r.text()
    seq, deleted = r.zigzag(), r.byte() != 0
    clocks, ext = read_clocks(r, entity), r.text()
    fields = (json.loads(ext) if ext else {}) | read_values(r, entity)
    return wire(entity, ident, space, seq, deleted, fields, clocks)


def read_op(blob):
    r = Reader(blob)
    n, kind, entity, ident = r.varint(), r.byte(), BY_NO[r.varint()], r.id()
    assert kind in OPS, "values that are in the record's row"
    space = f"{KINDS[r.byte()]}:{r.id()}"
    time, device = struct.unpack("<QI", r.take(12))
    op = {"t": "op", "n": n, "op": OPS[kind], "entity": entity, "space": space, "id": ident,
          "hlc": f"{time:016x}{device:08x}"}
    return op if kind == 3 else op | {"fields": read_values(r, entity)}


def records(db, spaces):
    for entity, about in SCHEMA.items():
        columns = [row[1] for row in db.execute(f'PRAGMA table_info("{entity}")')]
        for row in db.execute(f'SELECT * FROM "{entity}" ORDER BY id') if columns else []:
            has = dict(zip(columns, row))
            fields = json.loads(has["ext"]) if has["ext"] else {}
            fields |= {name: shown(f, has[name]) for name, f in about["fields"].items()
                       if has.get(name) is not None}
            yield {"record": wire(entity, str(uuid.UUID(bytes=has["id"])), spaces[has["rid"] >> 32],
                                  has["seq"], has["deleted"], fields,
                                  read_clocks(Reader(has["clocks"]), entity)),
                   "pending": has["pending"] is not None}


def found(db, entity, words):
    match = " ".join(f'"{word}"' for word in words.split()) + "*"
    rows = db.execute(f'SELECT id FROM "{entity}" WHERE deleted=0 AND rid IN (SELECT rowid FROM'
                      f' "{entity}_fts" WHERE "{entity}_fts" MATCH ?) ORDER BY id', [match])
    return {"query": {"from": entity, "search": words, "order": ["id"], "select": ["id"]},
            "rows": [{"id": str(uuid.UUID(bytes=row[0]))} for row in rows]}


def facts(db):
    spaces = dict(db.execute("SELECT no, name FROM space"))
    columns = [row[1] for row in db.execute("PRAGMA table_info(space)")]
    for row in db.execute("SELECT * FROM space WHERE held=1 ORDER BY name"):
        has = dict(zip(columns, row))
        yield {"space": has["name"], "epoch": has["epoch"], "cursor": has["cursor"],
               "holes": has.get("holes", "")}
    yield from records(db, spaces)
    for op, seq in db.execute("SELECT op, seq FROM outbox ORDER BY n"):
        yield {"op": read_op(op), "seq": seq or 0}
    for (blob,) in db.execute("SELECT record FROM shadow ORDER BY entity, rid"):
        yield {"shadow": read_shadow(blob), "seq": 0}
    for op, code, message in db.execute("SELECT op, code, message FROM rejected ORDER BY n"):
        yield {"rejected": read_op(op), "code": code, "message": message}
    for hex_, space, kind, size, url in db.execute(
            "SELECT hex, space, type, size, url FROM upload ORDER BY hex"):
        yield {"upload": hex_, "space": space, "type": kind, "size": size, "url": url}
    for entity, words in SEARCHES:
        yield found(db, entity, words)


for version in sys.argv[1:]:
    base = sqlite3.connect(":memory:")
    base.executescript((HERE / f"client-v{version}.sql").read_text())
    lines = (json.dumps(fact, ensure_ascii=False, separators=(",", ":")) for fact in facts(base))
    (HERE / f"client-v{version}.jsonl").write_text("\n".join(lines) + "\n")
