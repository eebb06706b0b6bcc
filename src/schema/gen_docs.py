"""The description of the HTTP side for readers, a page made of the routes: for gen_routes.py."""
import html
import re

NEEDS = {"none": "anybody", "guest": "anybody, or with a token", "session": "who is signed in, also without the second factor",
         "user": "who is signed in", "admin": "admins", "service": "admins, and services with the scope"}
STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:#2d5bff}
@media(prefers-color-scheme:dark){:root{--link:#8fa8ff}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:24px 16px;max-width:60rem}
a{color:var(--link)}h1{margin:0}h2{margin:40px 0 8px;border-bottom:1px solid var(--line)}
section{margin:24px 0}h3{margin:0;font-size:1rem;overflow-wrap:anywhere}h3 code{font-size:1rem}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}p{margin:4px 0}
table{border-collapse:collapse;margin:8px 0}td,th{text-align:start;vertical-align:top;padding:2px 16px 2px 0}
caption{text-align:start;font-weight:600}
.m{display:inline-block;min-width:4.5em;padding:0 6px;background:var(--soft);border-radius:4px}
nav ul{columns:18rem;padding:0;list-style:none}
"""


def text(s):
    return html.escape(s)


def record(name):
    return f'<a href="#record-{name}">{name}</a>'


def kind(t):
    bare = t.rstrip("!?")
    what = "list of " + " or ".join(map(record, bare.strip("[]").split("|"))) if bare.startswith("[") else text(bare)
    return what + {"!": ", required", "?": ", may be absent"}.get(t[-1], "")


def table(caption, rows):
    body = "".join(f"<tr><td><code>{text(name)}</code></td><td>{what}</td></tr>" for name, what in rows)
    return f"<table><caption>{text(caption)}</caption>{body}</table>" if rows else ""


def route(r, words):
    ok = r["ok"]
    done = [(s, "Done." if s == ok["status"] else words["also"][s]) for s in sorted({ok["status"], *r.get("also", [])})]
    failed = [(s, words["errors"][s]) for s in sorted(set(r.get("fail", [])) - words["always"])]
    statuses = [(str(s), text(what)) for s, what in done + failed]
    one = f"<p>Answers with a record: {record(ok['record'])}.</p>" if "record" in ok else ""
    who = NEEDS[r["need"]] + (f" “{r['scope']}”" if "scope" in r else "")
    rate = f" Rate: {r['limit']}." if r["limit"] else ""
    return (f'<section id="{r["id"]}"><h3><code class="m">{r["method"]}</code> <code>{text(r["path"])}</code></h3>'
            f"<p>{text(r['doc'])}</p><p>For {text(who)}.{text(rate)}</p>{one}"
            + table("Query", [(n, kind(t)) for n, t in r.get("query", {}).items()])
            + table("Headers", [(n, text(d)) for n, d in r.get("headers", {}).items()])
            + table("JSON body", [(n, kind(t)) for n, t in r.get("body", {}).items()])
            + table("Form (multipart/form-data)", [(n, kind(t)) for n, t in r.get("form", {}).items()])
            + table("Answer", [(n, kind(t)) for n, t in ok.get("body", {}).items()])
            + table("Statuses", statuses) + "</section>")


def records_part(records):
    out = []
    for name, entity in records.items():
        rows = [(n, f"{f['type']}{', required' if f.get('required') else ''}. {text(f['doc'])}") for n, f in entity["fields"].items()]
        out.append(f'<section id="record-{name}"><h3><code>{name}</code></h3><p>{text(entity["doc"])}</p>{table("Fields", rows)}</section>')
    return ("<h2>Records</h2><p>Each also has <code>id</code>, <code>entity</code>, <code>space</code>, <code>seq</code>, "
            "its number in the space, and <code>pending</code>, which is false. What is absent has no member. Of a request, "
            "<em>required</em> is what must be there when the record is made.</p>" + "".join(out))


def group_of(r):
    return re.sub(r"^/api/v1", "", r["path"]).split("/")[1].split(".")[0] or "well-known"


def page(routes, records, words):
    groups = {}
    for r in routes:
        groups.setdefault(group_of(r) if r["path"].startswith("/api/") else "the server itself", []).append(r)
    links = "".join(f'<li><a href="#{r["id"]}"><code>{r["method"]} {text(r["path"])}</code></a></li>' for r in routes)
    common = "".join(f"<tr><td>{s}</td><td>{text(words['errors'][s])}</td></tr>" for s in sorted(words["always"] | {401, 403}))
    body = "".join(f"<h2>{text(name)}</h2>" + "".join(route(r, words) for r in rs) for name, rs in groups.items())
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>sidelined: the HTTP side</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<style>{''.join(STYLE.splitlines())}</style></head><body><h1>sidelined</h1>"
            '<p>The HTTP side of the server; for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). '
            "Records go over the WebSocket as well, by the sync protocol.</p>"
            "<p>Who is signed in sends <code>Authorization: Bearer</code> and the access token of "
            '<a href="#login">signing in</a>. Errors are JSON: <code>error</code>, a name; <code>message</code>, a sentence; '
            "<code>fields</code> of a 422, a sentence for each wrong field; <code>retry_after</code> of a 429, seconds.</p>"
            f"<table><caption>Every address may answer</caption>{common}</table>"
            f"<nav aria-label=\"Addresses\"><ul>{links}</ul></nav><main>{body}{records_part(records)}</main></body></html>\n")
