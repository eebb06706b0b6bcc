#!/usr/bin/env python3
"""Compiles and runs the C example of README.md, exactly as a reader would copy it.

    readme_example.py <C compiler> <include folder> <folder of libsideline> [flags...]

The example is the first ```c block that contains `int main`. It runs in an empty folder
and must end with 0.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```c\n(.*?)^```$", re.M | re.S)


def example() -> str:
    readme = ROOT / "README.md"
    if not readme.exists():
        sys.exit("README.md is missing")
    for block in BLOCK.findall(readme.read_text()):
        if "int main" in block:
            return block
    sys.exit("README.md has no ```c block with a main function")


def main() -> int:
    cc, include, library, *flags = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="sideline-readme-") as folder:
        source = pathlib.Path(folder, "example.c")
        source.write_text(example())
        program = pathlib.Path(folder, "example")
        subprocess.run([cc, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{include}", *flags,
                        str(source), "-o", str(program), f"-L{library}", "-lsideline",
                        f"-Wl,-rpath,{library}"], check=True)
        work = pathlib.Path(folder, "run")
        work.mkdir()
        env = dict(os.environ, HOME=str(work))
        done = subprocess.run([str(program)], cwd=work, env=env, timeout=120)
        print(f"README example: exit {done.returncode}")
        return 0 if done.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
