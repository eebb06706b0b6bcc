#!/usr/bin/env python3
"""Fails when a file includes what its place in the architecture forbids.

The tables below are the architecture. ORDER is the list of modules of src/, each of which
may include only those before it; a new edge is a change to this file, seen in review.

  * A pure module (no clock, randomness, file, socket, thread, global variable) may include
    only what PURE names for it, and the plain C headers.
  * An outside library is included only in its home, HOMES.
  * What reaches the machine - files, clocks, threads, sockets - is for MACHINE_HOMES.
  * platform/ sees sideline/platform.h and itself; examples/ and bindings/ see sideline/ and
    themselves; fuzz/, tests/ and platform/sim see everything. platform/wasm/deps configures
    the outside libraries of the WebAssembly build and is not ours to layer.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.M)

COMMENT = re.compile(r"/\*.*?\*/", re.S)

ORDER = ["base", "crypto", "schema", "annotation", "review", "sync", "chat", "voice", "render",
         "exchange", "media", "store", "engine", "api", "service", "server"]

# Pure modules: the other modules they may use (besides base, never base/thread.h).
PURE = {
    "annotation": {"schema"},
    "review": {"schema", "annotation"},
    "sync": {"schema", "crypto", "annotation", "review"},
    "chat": {"schema", "annotation", "review", "sync"},
}

# Plain C: no effects beyond the process's own memory.
C_PURE = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h",
          "stdalign.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
PURE_ALLOWED = C_PURE - {"errno.h", "ctype.h"} | {"stdio.h"}
# ... of stdio.h only what formats into memory.
PURE_FORBIDDEN = re.compile(
    r"\b(FILE\s*\*|std(?:in|out|err)\b|(?:v?f?printf|f?puts|putchar|fopen|tmpfile|rename)\s*\()")
# Plain C that formats, allocates or unwinds: any module that is not pure.
C_PLAIN = {"cpuid.h", "immintrin.h", "setjmp.h", "stdarg.h", "stdatomic.h", "stdio.h", "stdlib.h", "strings.h"}
# The machine.
MACHINE = {"dirent.h", "dlfcn.h", "execinfo.h", "fcntl.h", "ftw.h", "getopt.h", "grp.h",
           "netdb.h", "poll.h", "pthread.h", "pwd.h", "sched.h", "signal.h", "spawn.h",
           "termios.h", "time.h", "unistd.h", "wchar.h", "locale.h", "glob.h",
           "regex.h", "libgen.h", "semaphore.h"}
MACHINE_PREFIXES = ("sys/", "arpa/", "net/", "netinet/", "linux/", "emscripten", "android/")
MACHINE_HOMES = {"server": None, "base": {"pthread.h", "sched.h", "time.h", "unistd.h", "sys/types.h"}}

# Outside library -> (how its headers look, where it is at home).
HOMES = {
    "cJSON": (re.compile(r"^(cjson/)?cJSON\w*\.h$"), {"src/base"}),
    "mbedTLS": (re.compile(r"^(mbedtls|psa)/"), {"src/crypto"}),
    "SQLite": (re.compile(r"^sqlite3\w*\.h$"), {"src/store"}),
    "Opus": (re.compile(r"^(opus/)?opus\w*\.h$"), {"src/voice"}),
    "libspeexdsp": (re.compile(r"^speex/"), {"src/voice"}),
    "SDL": (re.compile(r"^SDL\w*\.h$"), {"platform/audio"}),
    "Cairo": (re.compile(r"^(cairo/)?cairo[\w-]*\.h$"), {"src/render"}),
    "Pango": (re.compile(r"^pango/"), {"src/render"}),
    "FFmpeg": (re.compile(r"^lib(av\w+|sw\w+|postproc)/"), {"src/media"}),
    "Zstandard": (re.compile(r"^zstd\w*\.h$"), {"src/sync"}),
    "libcurl": (re.compile(r"^curl/"), {"platform/curl"}),
    "libwebsockets": (re.compile(r"^(libwebsockets|lws_config)"), {"platform/lws", "src/server"}),
    "libcrypt": (re.compile(r"^crypt\.h$"), {"src/server"}),
    "expat": (re.compile(r"^expat\w*\.h$"), {"src/exchange"}),
    "Check": (re.compile(r"^check\.h$"), {"tests"}),
    "JNI": (re.compile(r"^jni\.h$"), {"bindings/kotlin", "platform/android"}),
}


def home_of(name: str) -> tuple[str, set[str]] | None:
    for library, (pattern, homes) in HOMES.items():
        if pattern.match(name):
            return library, homes
    return None


def outside_fault(place: str, name: str) -> str | None:
    """A library's header away from home; None when it is no library's or is at home."""
    found = home_of(name)
    if not found:
        return None
    library, homes = found
    if any(place == h or place.startswith(h + "/") for h in homes):
        return None
    return f"{library} is at home in {' and '.join(sorted(homes))}"


def is_machine(name: str) -> bool:
    return name in MACHINE or name.startswith(MACHINE_PREFIXES)


def system_fault(module: str, place: str, name: str) -> str | None:
    if home_of(name):
        return outside_fault(place, name)
    if module in PURE:
        return None if name in PURE_ALLOWED else "a pure module uses plain C only"
    if name in C_PURE | C_PLAIN:
        return None
    if is_machine(name):
        allowed = MACHINE_HOMES.get(module, set())
        if allowed is None or name in allowed:
            return None
        return "the machine is reached through sideline/platform.h"
    return "a header that tests/tools/check_layers.py does not know"


def module_fault(module: str, name: str, path: pathlib.Path) -> str | None:
    first, _, rest = name.partition("/")
    if first == "sideline" and rest:
        return None
    if not rest:
        return None if (path.parent / name).exists() else "no such file beside it"
    if module == "server" and name in ("platform/posix/posix.h", "platform/curl/outside.h"):
        return None  # sidelined chooses what it runs on
    if first not in ORDER:
        return "not a module"
    if first == module:
        return None
    if module in PURE:
        if name == "base/thread.h":
            return "a pure module has no threads"
        if first != "base" and first not in PURE[module]:
            return f"{module} may use base, {', '.join(sorted(PURE[module]))}"
    if ORDER.index(first) > ORDER.index(module):
        return f"{first} is above {module}"
    return None


def check_src(path: pathlib.Path, bracket: str, name: str) -> str | None:
    module = path.relative_to(ROOT / "src").parts[0]
    if module not in ORDER:
        return f"src/{module} is not in the table of modules"
    if bracket == "<":
        return system_fault(module, f"src/{module}", name)
    return module_fault(module, name, path)


def own_file(path: pathlib.Path, top: pathlib.Path, name: str) -> bool:
    """True when a quoted include names a file under the same top folder."""
    for base in (path.parent, top, ROOT):
        target = (base / name).resolve()
        if target.exists() and target.is_relative_to(top):
            return True
    return False


def check_outer(path: pathlib.Path, bracket: str, name: str) -> str | None:
    """platform/, examples/, bindings/."""
    top = path.relative_to(ROOT).parts[0]
    place = str(path.parent.relative_to(ROOT))
    if bracket == "<":
        if name.startswith("sideline/"):
            bracket = '"'
        else:
            return outside_fault(place, name)
    if name.startswith("sideline/"):
        if top == "platform" and name not in ("sideline/platform.h", "sideline/base.h"):
            return "a platform sees sideline/platform.h only"
        return None
    fault = outside_fault(place, name)
    if fault:
        return fault
    if own_file(path, ROOT / top, name):
        return None
    return f"{top}/ may not look inside src/"


def check_public(path: pathlib.Path, bracket: str, name: str) -> str | None:
    if bracket == "<":
        return None if name in {"stddef.h", "stdint.h"} else "public headers need only stdint.h"
    return None if (path.parent / name).exists() else "public headers include their siblings"


def checker_for(path: pathlib.Path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "src":
        return check_src
    if parts[0] == "include":
        return check_public
    if parts[:2] == ("platform", "sim") or parts[:3] == ("platform", "wasm", "deps"):
        return None
    return check_outer


def main() -> int:
    faults = []
    files = 0
    for top in ("include", "src", "platform", "examples", "bindings"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            check = checker_for(path)
            if check is None:
                continue
            files += 1
            text = path.read_text()
            for match in INCLUDE.finditer(text):
                fault = check(path, match[1], match[2])
                if fault:
                    line = text.count("\n", 0, match.start()) + 1
                    faults.append(f"{path.relative_to(ROOT)}:{line}: {match[2]}: {fault}")
            if path.relative_to(ROOT).parts[1] in PURE and check is check_src:
                faults += [f"{path.relative_to(ROOT)}: {match[1].strip()}: a pure module has no files"
                           for match in PURE_FORBIDDEN.finditer(COMMENT.sub("", text))]
    print("\n".join(faults) if faults else f"layers: {files} files")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
