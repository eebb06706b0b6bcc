#!/usr/bin/env python3
"""annotation_schema.py PROGRAM [--update]: include/sideline/annotation.schema.json is what PROGRAM makes
of the tables, holds for a document of every tool, and refuses what the library refuses."""
import copy
import json
import pathlib
import subprocess
import sys

FILE = pathlib.Path(__file__).resolve().parents[2] / "include/sideline/annotation.schema.json"


def wrong(document):
    """Copies of the document with one mistake each."""
    def change(at, do):
        broken = copy.deepcopy(document)
        item = next(i for i in broken["items"] if i["kind"] == at)
        do(item)
        return broken

    yield "no points", change("pen", lambda i: i.pop("points"))
    yield "too few points", change("polygon", lambda i: i.update(points=[[0, 0]]))
    yield "too many points", change("line", lambda i: i["points"].append([0, 0]))
    yield "a point of three", change("line", lambda i: i["points"].__setitem__(0, [1, 2, 3]))
    yield "half a unit", change("line", lambda i: i["points"].__setitem__(0, [1.5, 2]))
    yield "far away", change("line", lambda i: i["points"].__setitem__(0, [131073, 2]))
    yield "unknown kind", change("line", lambda i: i.update(kind="laser"))
    yield "no text", change("text", lambda i: i.pop("text"))
    yield "text of a line", change("line", lambda i: i.update(text="x"))
    yield "no blob", change("stamp", lambda i: i.pop("blob"))
    yield "no times", change("path", lambda i: i.pop("dt"))
    yield "times of a rect", change("rect", lambda i: i.update(dt=[0, 1]))
    yield "pressure above 255", change("pen", lambda i: i.update(pressure=[256]))
    yield "a colour by name", change("line", lambda i: i["style"].update(color="red"))
    yield "opacity above 1", change("line", lambda i: i["style"].update(opacity=1.1))
    yield "no such dash", change("line", lambda i: i["style"].update(dash="wavy"))
    yield "before the start", change("line", lambda i: i.update({"in": -1}))
    yield "z that ends in 0", change("line", lambda i: i.update(z="a0"))
    yield "no id", change("line", lambda i: i.pop("id"))


def main():
    program = sys.argv[1]
    made = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    if "--update" in sys.argv:
        FILE.write_text(made)
    if FILE.read_text() != made:
        print(f"{FILE.name} is not what the tables say: tests/tools/annotation_schema.py {program} --update")
        return 1
    try:
        import jsonschema
    except ImportError:
        print("the schema is as the tables say; skipped: no python3-jsonschema to try it with")
        return 0
    validator = jsonschema.Draft202012Validator(json.loads(made))
    validator.check_schema(json.loads(made))
    document = json.loads(subprocess.run([program, "documents"], check=True, capture_output=True,
                                         text=True).stdout)
    faults = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator.iter_errors(document)]
    kinds = {i["kind"] for i in document["items"]}
    for name, broken in wrong(document):
        if validator.is_valid(broken):
            faults.append(f"the schema takes: {name}")
    print("\n".join(faults) if faults else f"schema: {len(document['items'])} items of {len(kinds)} kinds")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
