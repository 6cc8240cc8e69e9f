"""
callgrind as the truth of how often functions are called.

It counts executions of every instruction, by address, and needs no symbols for that; a function has been called as often as
its first instruction was executed (that is also what a breakpoint of gdb counts). So stripped programs can be compared, and
what a debugger would call by another name cannot be mistaken.
"""
import collections
import pathlib
import subprocess

from truth import needs


def options(out):
    return ["--tool=callgrind", "-q", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no", "--skip-plt=no", f"--callgrind-out-file={out}"]


def command(out, *argv):
    return [needs("valgrind"), *options(out), *[str(a) for a in argv]]


def executions(out, binary):
    """{address in the file: how often the instruction there was executed} of @binary, from callgrind's file @out."""
    wanted, here, inclusive = str(pathlib.Path(binary).resolve()), False, False
    found = collections.Counter()
    with open(out) as lines:
        for line in lines:
            if line.startswith("ob="):
                here = line[3:-1] == wanted
            elif line.startswith("calls="):
                inclusive = True  # the next line's cost is that of the callee
            elif here and line.startswith("0x"):
                if not inclusive:
                    address, _, count = line.split()
                    found[int(address, 16)] += int(count)
                inclusive = False
            elif line.startswith("0x"):
                inclusive = False
    return found


def run(folder, binary, *argv, name="callgrind.out", **kwargs):
    """Runs a command that ends by itself."""
    out = pathlib.Path(folder) / name
    subprocess.run(command(out, *argv), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=170, **kwargs)
    return executions(out, binary)
