#!/usr/bin/env python3
"""Writes what follows from schema.toml, policy.toml, routes.toml and tokens.json: the C tables, the references, the
design tokens.

  gen.py           writes tables.c, policy_table.c, route_table.[ch], openapi_text.c, docs_page.c, openapi.json, include/sideline/SCHEMA.md,
                   bindings/wasm/src/models.ts and examples/tokens
  gen.py --check   fails when they are not what would be written

Standard library only. Building Sideline does not need it: the output is committed.
"""
import pathlib
import sys
import tomllib

import gen_policy
import gen_routes
import gen_tokens
import gen_typescript

HERE = pathlib.Path(__file__).resolve().parent
TYPES = {"text": "SL_T_TEXT", "int": "SL_T_INT", "real": "SL_T_REAL", "bool": "SL_T_BOOL", "json": "SL_T_JSON",
         "ref": "SL_T_REF", "blob": "SL_T_BLOB", "enum": "SL_T_ENUM"}
MERGES = {"lww": "SL_M_LWW", "immutable": "SL_M_IMMUTABLE", "max": "SL_M_MAX", "server": "SL_M_SERVER",
          "counter": "SL_M_COUNTER", "set": "SL_M_SET"}
CLASSES = {"public": "SL_C_PUBLIC", "internal": "SL_C_INTERNAL", "sensitive": "SL_C_SENSITIVE",
           "highly_sensitive": "SL_C_HIGHLY_SENSITIVE"}
ROLES = {"owner": "SL_R_OWNER", "coach": "SL_R_COACH", "member": "SL_R_MEMBER", "author": "SL_R_AUTHOR", "server": "0"}
TAKEN = ["id", "space", "seq", "deleted", "clocks", "ext", "rid", "pending", "entity"]
ENTITY_KEYS = {"place_field", "no", "doc", "space", "root", "create", "patch", "delete", "author_field", "fields"}
FIELD_KEYS = {"index", "no", "type", "merge", "required", "min", "max", "values", "class", "doc", "search", "to"}


def refuse(where, what):
    sys.exit(f"schema.toml: {where}: {what}")


def numbered(where, things):
    """Numbers are forever: one each, none twice."""
    numbers = [t.get("no") for t in things.values()]
    if any(type(n) is not int or n < 1 for n in numbers) or len(set(numbers)) < len(numbers):
        refuse(where, "each needs a number of its own from 1")


def check(schema):
    numbered("entities", schema["entity"])
    for name, entity in schema["entity"].items():
        if extra := set(entity) - ENTITY_KEYS:
            refuse(name, f"unknown keys {sorted(extra)}")
        for roles in (entity["create"], entity["patch"], entity["delete"]):
            for role in roles:
                if role not in ROLES:
                    refuse(name, f"unknown role {role}")
        numbered(name, entity["fields"])
        author = entity.get("author_field")
        if author is not None and entity["fields"].get(author, {}).get("merge") not in ("server", "immutable"):
            refuse(name, "author_field must be a field with merge = server or immutable")
        place = entity.get("place_field")
        if place is not None and [entity["fields"].get(place, {}).get(k) for k in ("type", "merge")] != ["int", "server"]:
            refuse(name, "place_field must be an int with merge = server")
        for field, f in entity["fields"].items():
            where = f"{name}.{field}"
            if extra := set(f) - FIELD_KEYS:
                refuse(where, f"unknown keys {sorted(extra)}")
            if field in TAKEN:
                refuse(where, "the name is taken")
            for key, table in (("type", TYPES), ("merge", MERGES), ("class", CLASSES)):
                if f.get(key) not in table:
                    refuse(where, f"unknown {key}")
            if f["merge"] == "counter" and f["type"] != "int" or f["merge"] == "set" and f["type"] != "json":
                refuse(where, "a counter is an int, a set is json")
            if f["merge"] in ("counter", "set") and f.get("required"):
                refuse(where, "a counter or set begins as 0 or empty")
            if f.get("search") and f["type"] != "text":
                refuse(where, "search goes with type text")
            if f["type"] in ("ref", "blob") and f["merge"] in ("counter", "set"):
                refuse(where, "an id does not count")
            if "to" in f and (f["type"] != "ref" or schema["entity"].get(f["to"], {}).get("space") != entity["space"]):
                refuse(where, "to names, for a ref, an entity of the same kind of space")
            if not f.get("doc"):
                refuse(where, "needs a doc")
            if (f["type"] == "enum") != ("values" in f):
                refuse(where, "values go with type enum")


def c_string(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'


def roles(names):
    return " | ".join(ROLES[n] for n in names) or "0"


def bounds(f):
    default_max = {"text": 1000, "json": 10000, "enum": 64, "ref": 36, "blob": 64}.get(f["type"], 2**53 - 1)
    default_min = 0 if f["type"] not in ("int", "real") else -(2**53 - 1)
    return f'INT64_C({f.get("min", default_min)}), INT64_C({f.get("max", default_max)})'


def target(schema, f):
    return f'&sl_entities[{list(schema["entity"]).index(f["to"])}]' if "to" in f else "NULL"


def targets(e):
    bits = sum(1 << i for i, f in enumerate(e["fields"].values()) if "to" in f)
    return f"UINT64_C({bits})"


def tables_c(schema):
    out = ["/* Generated by gen.py from schema.toml; do not edit. */", "/* clang-format off */",
           '#include "schema/schema.h"', ""]
    for name, entity in schema["entity"].items():
        for field, f in entity["fields"].items():
            if f["type"] == "enum":
                values = ", ".join(c_string(v) for v in f["values"])
                out.append(f"static const char *const VALUES_{name}_{field}[] = {{{values}, NULL}};")
    for name, entity in schema["entity"].items():
        out.append(f"\nstatic const sl_field FIELDS_{name}[] = {{")
        for i, (field, f) in enumerate(entity["fields"].items()):
            values = f"VALUES_{name}_{field}" if f["type"] == "enum" else "NULL"
            out.append(f"    /* {f['doc']} */")
            out.append(f'    {{{c_string(field)}, {i}, {f["no"]}, {TYPES[f["type"]]}, {MERGES[f["merge"]]}, {CLASSES[f["class"]]}, '
                       f'{"true" if f.get("required") else "false"}, {"true" if f.get("search") else "false"}, '
                       f'{"true" if f.get("index") else "false"}, '
                       f'{bounds(f)}, {values}, {target(schema, f)}}},')
        out.append("};")
    out.append("\nconst sl_entity sl_entities[] = {")
    for i, (name, e) in enumerate(schema["entity"].items()):
        author, place = (list(e["fields"]).index(e[key]) if key in e else -1 for key in ("author_field", "place_field"))
        out += [f"    /* {e['doc']} */", "    {",
                f"        {c_string(name)}, {c_string(e['space'])}, {e['no']}, {i},",
                f"        {roles(e['create'])}, {roles(e['patch'])}, {roles(e['delete'])}, {author}, {place}, "
                f"{'true' if e.get('root') else 'false'}, {targets(e)},",
                f"        FIELDS_{name}, sizeof FIELDS_{name} / sizeof FIELDS_{name}[0],", "    },"]
    out += ["};", "const size_t sl_entity_count = sizeof sl_entities / sizeof sl_entities[0];",
            f"const int sl_schema_version = {schema['version']};", ""]
    return "\n".join(out)


def limits(f):
    if f["type"] == "enum":
        return " ".join(f"`{v}`" for v in f["values"])
    if f["type"] in ("bool", "ref", "blob"):
        return ""
    low, high = f.get("min"), f.get("max")
    if f["type"] in ("text", "json"):
        high = high or {"text": 1000, "json": 10000}[f["type"]]
        return f"{low or 0}–{high} B"
    high = "2⁵³−1" if high == 2**53 - 1 else high
    return "" if low is None and high is None else f"{'' if low is None else low} to {'' if high is None else high}"


def who(roles):
    return ", ".join(roles) or "nobody"


def reference(schema):
    out = ["<!-- Generated by src/schema/gen.py from schema.toml; do not edit. -->", "# The schema", "",
           f"Version {schema['version']}. Every record also has `id`, `space`, `seq`. A space is named kind:id; a *root* has the id",
           "of its space. Who may create, patch, delete goes by the role in the space (owner, coach, member), by being the",
           "record's author, or is the server's alone. A field with merge `server` is written by the server only, `immutable` at",
           "creation only. Merge: `lww` the latest write wins, `max` the greatest value; for `counter` an operation carries the",
           'number to add, for `set` `{"add":[..],"remove":[..]}`, and the record shows the sum or the sorted elements.',
           "A *ref to* an entity names a record of the same space: an operation may only name one that is there and not",
           "deleted, else it fails with SL_E_NOT_FOUND and the field. When that record is deleted later the reference stays:",
           "who reads it must cope with a record that is gone.",
           "Limits of text and json are bytes. Amounts of money are whole numbers of the currency's smallest unit.", ""]
    for name, e in schema["entity"].items():
        out += [f"## {name}", "", e["doc"], "",
                f"Space: {e['space']}{' (root)' if e.get('root') else ''}. Create: {who(e['create'])}. "
                f"Patch: {who(e['patch'])}. Delete: {who(e['delete'])}.", "",
                "| field | type | limits | merge | class | |", "|---|---|---|---|---|---|"]
        for field, f in e["fields"].items():
            required = ", required" if f.get("required") else ""
            kind = f"{f['type']} to {f['to']}" if "to" in f else f["type"]
            out.append(f"| `{field}` | {kind}{required} | {limits(f)} | {f['merge']} | "
                       f"{f['class'].replace('_', ' ')} | {f['doc']} |")
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def main():
    schema = tomllib.loads((HERE / "schema.toml").read_text())
    check(schema)
    stale = False
    for path, text in ((HERE / "tables.c", tables_c(schema)),
                       (HERE / "policy_table.c", gen_policy.table_c(schema)),
                       *gen_routes.outputs(schema), *gen_tokens.outputs(),
                       (HERE.parents[1] / "bindings/wasm/src/models.ts", gen_typescript.models_ts(schema)),
                       (HERE.parents[1] / "include/sideline/SCHEMA.md", reference(schema))):
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text() != text:
                print(f"{path.name} is not what is described: run src/schema/gen.py", file=sys.stderr)
                stale = True
        else:
            path.write_text(text)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
