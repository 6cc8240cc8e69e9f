#!/usr/bin/env python3
"""manpages.py UTRACE FOLDER: writes utrace(1), and each page that its SEE ALSO names, into FOLDER."""
import pathlib
import re
import shutil
import subprocess
import sys


def page(utrace, *words):
    return subprocess.run([utrace, "man", *words], check=True, capture_output=True, text=True).stdout


def main(utrace, folder):
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)  # a command that is gone leaves no page behind
    folder.mkdir(parents=True)
    overview = page(utrace)
    (folder / "utrace.1").write_text(overview)
    for command in re.findall(r"^\.BR utrace\\-(\S+) \(1\)", overview, re.M):
        (folder / f"utrace-{command}.1").write_text(page(utrace, command))


if __name__ == "__main__":
    main(*sys.argv[1:])
