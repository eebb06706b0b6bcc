#!/usr/bin/env python3
"""Fails on what clang-format and clang-tidy cannot see: the house rules about files.

C files: at most 800 lines, no // comments; a header begins with a comment that says what it is
and has one include guard (but not the configuration of outside libraries, DEPS). Every text file: no trailing blanks, no tabs (but in Makefiles), a newline
at the end, nothing left to do.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 800
TOPS = ("include", "src", "platform", "examples", "bindings", "tests", "fuzz", ".ci")
FILES = ("run", "CMakeLists.txt", "README.md", "CMakePresets.json")
TEXT = {".c", ".h", ".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".in", ".json", ".ts",
        ".swift", ".kt", ".js", ".mjs", ".cjs", ""}
SKIPPED = {"node_modules", "__pycache__", "corpus", "data", "golden", "build", "dist"}
GENERATED = re.compile(r"generated", re.I)
# Comments and literals, so that a // inside a string or a /* */ is not taken for one.
TOKEN = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*', re.S)
DEPS = ROOT / "platform/wasm/deps"
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def text_files():
    for name in FILES:
        path = ROOT / name
        if path.exists():
            yield path
    for top in TOPS:
        for path in sorted((ROOT / top).rglob("*")):
            inside = path.relative_to(ROOT).parts
            if path.is_file() and path.suffix in TEXT and not SKIPPED & set(inside):
                yield path


def c_faults(path: pathlib.Path, text: str) -> list[str]:
    faults = []
    lines = text.count("\n")
    head = text[:600]
    if lines > LINES_MAX and not GENERATED.search(head):
        faults.append(f"{lines} lines, at most {LINES_MAX}")
    for token in TOKEN.finditer(text):
        if token[0].startswith("//"):
            line = text.count("\n", 0, token.start()) + 1
            faults.append(f"line {line}: // comment")
    if path.suffix == ".h" and not path.is_relative_to(DEPS):
        if not text.startswith("/*"):
            faults.append("no comment at the top that says what it is")
        if not re.search(r"^#ifndef (\w+)\n#define \1$", text, re.M):
            faults.append("no include guard")
    return faults


def plain_faults(path: pathlib.Path, text: str) -> list[str]:
    faults = []
    if text and not text.endswith("\n"):
        faults.append("no newline at the end")
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            faults.append(f"line {number}: trailing blanks")
        if "\t" in line:
            faults.append(f"line {number}: tab")
        if UNFINISHED.search(line):
            faults.append(f"line {number}: unfinished work is an issue, not a comment")
    return faults


def main() -> int:
    faults = []
    files = 0
    for path in text_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        files += 1
        found = plain_faults(path, text)
        if path.suffix in (".c", ".h"):
            found += c_faults(path, text)
        faults += [f"{path.relative_to(ROOT)}: {fault}" for fault in found]
    print("\n".join(faults) if faults else f"style: {files} files")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
