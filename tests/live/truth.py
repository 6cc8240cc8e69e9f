"""What the tests of truth share: building tests/prog, running utrace with JSON to a file, and the calls as a tree."""
import collections
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from workload import PROG, UTRACE

from workload import CLEAN, switched_off


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="attaching probes needs root")


def needs(*tools):
    """The path of each tool; skips where one is missing."""
    paths = [shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") for tool in tools]
    for tool, path in zip(tools, paths):
        if path is None:
            pytest.skip(f"{tool} is not installed")
    return paths[0] if len(paths) == 1 else paths


def build(folder, source, *flags, name=None):
    """The path of a program made from tests/prog/SOURCE."""
    path = pathlib.Path(folder) / (name or pathlib.Path(source).stem)
    compiler = needs("g++" if source.endswith(".cc") else "gcc")
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", *flags, "-pthread", "-o", path, PROG / source], check=True)
    return path


class Run:
    """A finished run of utrace: its events, the last of which is the summary, and what the command printed."""

    def __init__(self, done, events):
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.events = [e for e in events if e["event_type"] != "summary"]
        self.summary = events[-1]
        assert self.summary["event_type"] == "summary"

    def of_type(self, event_type):
        return [e for e in self.events if e["event_type"] == event_type]

    @property
    def calls(self):
        return self.of_type("function_call")

    @property
    def lost(self):
        return sum(self.summary["lost"].values())


def environment(without="", **more):
    return {**CLEAN, **switched_off(without), **more}


def events_of(path):
    """The events of a file, one JSON object a line."""
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def utrace(folder, *words, without="", timeout=120, **kwargs):
    """Runs `utrace WORDS` with JSON to a file; its last words may be -- COMMAND."""
    out = pathlib.Path(folder) / "events.json"
    out.unlink(missing_ok=True)
    words = [str(w) for w in words]
    at = words.index("--") if "--" in words else len(words)
    argv = [UTRACE, *words[:at], "--json", "-o", str(out), *words[at:]]
    done = subprocess.run(argv, env=environment(without), capture_output=True, text=True, timeout=timeout, **kwargs)
    assert out.exists(), done.stderr
    return Run(done, events_of(out))


def steps(calls):
    """
    What each thread did, {thread: ["> name", "< name" ...]}, from the tree that call_id and parent_call_id make. That the
    objects come in the order in which calls end is part of the claim, and checked.
    """
    inside, roots, ended = collections.defaultdict(list), collections.defaultdict(list), collections.defaultdict(list)
    for call in calls:
        ended[call["thread_id"]].append(call["call_id"])
        if "parent_call_id" in call:
            inside[call["parent_call_id"]].append(call)
        else:
            roots[call["thread_id"]].append(call)
    return {thread: walk(roots[thread], inside, ended[thread]) for thread in ended}


def walk(roots, inside, ended):
    todo, found, order = sorted(roots, key=lambda c: -c["call_id"]), [], []
    while todo:
        call = todo.pop()
        if "left" in call:
            found.append("< " + call["function_name"])
            order.append(call["call_id"])
            continue
        found.append("> " + call["function_name"])
        todo.append({**call, "left": True})
        todo.extend(sorted(inside[call["call_id"]], key=lambda c: -c["call_id"]))
    assert order == ended, "calls are not told in the order of their ends"
    return found


def symbols(binary):
    """{address in the file: name} of functions, by nm and c++filt, without parameters."""
    listing = subprocess.run(["nm", binary], capture_output=True, text=True, check=True).stdout
    lines = [line.split(" ", 2) for line in listing.splitlines()]
    mangled = {int(address, 16): name for address, kind, name in lines if address and kind in "tTwWiu"}
    names = subprocess.run(["c++filt", "-p"], input="\n".join(mangled.values()), capture_output=True, text=True, check=True).stdout
    return dict(zip(mangled, names.splitlines()))
