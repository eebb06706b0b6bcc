#!/usr/bin/env python3
"""Writes tests/abi/symbols.txt, the export list, from the public headers.

A function is exported because a header in include/sideline declares it SL_API, and for
no other reason. The list is committed, so that a new export is seen in review.

    exports.py            rewrites the list
    exports.py --check    fails when the list and the headers differ
    exports.py --library libsideline.so   fails when the library exports anything else
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "tests/abi/symbols.txt"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
DECLARATION = re.compile(r"^SL_API\b[^;{]*?\b(sl_\w+)\s*\(", re.M)


def declared() -> list[str]:
    names: list[str] = []
    for header in sorted((ROOT / "include/sideline").glob("*.h")):
        text = COMMENT.sub(" ", header.read_text())
        found = DECLARATION.findall(text)
        marked = len(re.findall(r"^SL_API\b", text, re.M))
        if marked != len(found):
            sys.exit(f"{header.name}: {marked} lines begin with SL_API, {len(found)} understood")
        names += found
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        sys.exit("declared twice: " + ", ".join(twice))
    return sorted(names)


def exported(library: str) -> list[str]:
    out = subprocess.run(["nm", "-D", "--defined-only", "--extern-only", library],
                         check=True, capture_output=True, text=True).stdout
    names = set()
    for line in out.splitlines():
        kind, name = line.split()[-2:]
        name = name.split("@")[0]
        # Version nodes are absolute; sanitizer runtimes add names of their own.
        if kind != "A" and not name.startswith(("__asan", "__odr_asan", "__ubsan", "__sanitizer")):
            names.add(name)
    return sorted(names)


def differences(expected: list[str], found: list[str], what: str) -> list[str]:
    lines = [f"{name}: not in {what}" for name in sorted(set(expected) - set(found))]
    lines += [f"{name}: only in {what}" for name in sorted(set(found) - set(expected))]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--library")
    args = parser.parse_args()
    headers = declared()
    faults: list[str] = []
    if args.check or args.library:
        listed = LIST.read_text().split() if LIST.exists() else []
        faults += differences(headers, listed, "tests/abi/symbols.txt (run tests/tools/exports.py)")
        if args.library:
            faults += differences(headers, exported(args.library), args.library)
    else:
        LIST.write_text("".join(f"{name}\n" for name in headers))
        print(f"{LIST.relative_to(ROOT)}: {len(headers)} functions")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
