#!/usr/bin/env python3
"""Runs the suites of the table at the end of this file; ./check installs what they need and calls it.

A suite is one function that returns a Result, and one row. Each has a log in build-check/logs and a deadline. What it starts
is a session of its own, ended as a whole at the deadline. A run of no tests is a failure; a skip is shown with its reason.
One suite more than there are processors runs at a time, three at most: the live tests mostly wait.
"""
import copy
import glob
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Callable

import fuzz
from fallbacks import ROWS

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILDS = os.path.join(ROOT, 'build-check')
LOGS = os.path.join(BUILDS, 'logs')
# Where tests find what they test.
BINARIES = {
    'UTRACE': os.path.join(BUILDS, 'gcc', 'src', 'utrace'),
    'UTRACE_STATIC': os.path.join(BUILDS, 'static', 'src', 'utrace'),
}

# 1..5, then "ok 1 - name", "not ok 2 - name", and of a skipped case "ok 3 # SKIP name" ("not ok" in cmocka 1.1.5); what a
# case has to say follows it in lines that begin with "#".
TAP_PLAN = re.compile(r'^1\.\.(\d+)$', re.MULTILINE)
TAP_CASE = re.compile(r'^(not )?ok \d+(?: - (.*?))?(?: # SKIP ?(.*))?\n((?:[# ].*\n)*)', re.MULTILINE)

DEADLINE = -1
TRIED_AGAIN_MAX = 5  # of the tests that failed; more is no chance
WORKERS = min(3, (os.cpu_count() or 1) + 1)

# What a suite belongs to: each level of the command line runs those up to it.
FAST, PLAIN, GUESTS, ALL = range(4)
LEVELS = {'--fast': FAST, '--vm': GUESTS, '--all': ALL}


@dataclass
class Result:
    passed: int = 0
    failed: list = field(default_factory=list)   # (test, text)
    skipped: list = field(default_factory=list)  # (test, reason)
    notes: list = field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes


@dataclass
class Suite:
    name: str
    level: int
    minutes: float
    run: Callable
    args: tuple = ()
    needs: str = ''  # a suite that must have passed


class Runner:
    """Runs the commands of one suite into its log, all before the suite's deadline."""

    running, starting = set(), threading.Lock()  # the commands of all suites
    ending = False                               # nothing is started any more

    def __init__(self, suite):
        self.name = suite.name
        self.path = os.path.join(LOGS, suite.name + '.log')
        self.deadline = time.monotonic() + 60 * suite.minutes
        open(self.path, 'w').close()

    def call(self, *argv, env=None):
        """Returns the exit status, or DEADLINE."""
        with open(self.path, 'a') as log:
            log.write('$ ' + ' '.join(argv) + '\n')
            log.flush()
            with self.starting:
                if Runner.ending:
                    return DEADLINE
                child = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env={**os.environ, **(env or {})}, start_new_session=True)
                self.running.add(child)
            try:
                return child.wait(max(0, self.deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.write('\ndeadline of the suite reached\n')
                return DEADLINE
            finally:
                end_session(child)
                self.running.discard(child)

    def tail(self, lines=30):
        """The end of what the last command wrote."""
        with open(self.path, errors='replace') as log:
            return ''.join(log.read().rpartition('\n$ ')[2].splitlines(True)[-lines:])


def end_session(child):
    """
    Ends what has not ended by itself: asks all of the session, waits for its head, kills what is left of it.
    SIGINT, because pytest then tidies up and still writes what it has seen.
    """
    if child.poll() is not None:
        return
    os.killpg(child.pid, signal.SIGINT)
    try:
        child.wait(30)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def read_junit(path):
    """Counts the test cases of pytest's JUnit file; an empty Result when there is none."""
    result = Result()
    if not os.path.exists(path):
        return result
    for case in ElementTree.parse(path).iter('testcase'):
        name = f"{case.get('classname', '')}.{case.get('name', '')}".strip('.')
        bad = [e for e in case if e.tag in ('failure', 'error')]
        skip = case.find('skipped')
        if bad:
            result.failed.append((name, bad[0].text or bad[0].get('message') or ''))
        elif skip is not None:
            result.skipped.append((name, skip.get('message') or 'no reason given'))
        else:
            result.passed += 1
    return result


def read_meson(path):
    """Counts the cases of meson's testlog.json, one test program a line; those that speak TAP have a case a line of output."""
    result = Result()
    if not os.path.exists(path):
        return result
    with open(path) as log:
        for test in map(json.loads, log):
            result.add(read_meson_test(test))
    return result


def read_meson_test(test):
    result, name, said = Result(), test['name'].split(' / ')[-1], test.get('stdout', '')
    cases = TAP_CASE.findall(said)
    for bad, case, skip, why in cases:
        if skip:
            result.skipped.append((f'{name}: {case or skip}', skip))
        elif bad:
            result.failed.append((f'{name}: {case}', why))
        else:
            result.passed += 1
    # A program may end badly after its last good case, or well before it.
    status, planned = test.get('returncode'), int((TAP_PLAN.findall(said) or [0])[0])
    if test['result'] == 'TIMEOUT' or status < 0 or (status and not result.failed) or len(cases) < planned:
        result.failed.append((f'{name}: exit status {status}, {len(cases)} of {planned} cases', said + test.get('stderr', '')))
    elif not cases:
        result.passed += 1
    return result


def judge(result, status, runner):
    """A command that fails without a failed test, or runs no test at all, has failed all the same."""
    if status != 0 and not result.failed:
        result.failed.append((f'{runner.name}: exit status {status}', runner.tail()))
    elif not (result.passed or result.failed or result.skipped):
        result.failed.append((f'{runner.name}: no test ran', runner.tail()))
    return result


def step(runner, *argv, env=None):
    """A command that is one test by itself."""
    if runner.call(*argv, env=env) == 0:
        return Result(passed=1)
    return Result(failed=[(' '.join(argv).replace(ROOT + os.sep, ''), runner.tail())])


def tool(runner, script):
    result = step(runner, sys.executable, os.path.join('tools', script))
    with open(runner.path) as log:
        result.notes = [line[len('note: '):].strip() for line in log if line.startswith('note: ')]
    return result


def build(runner, name, compiler, options=('-Dwerror=true',), targets=()):
    where = os.path.join(BUILDS, name)
    setup = [] if os.path.exists(os.path.join(where, 'build.ninja')) else ['setup', where]
    verb = setup or ['configure', where]
    if runner.call('meson', *verb, *options, env={'CC': compiler}) != 0:
        return Result(failed=[(f'configuring {name}', runner.tail())])
    return step(runner, 'ninja', '-C', where, *targets)


def meson_test(runner, name, suite='unit', setup=None):
    where = os.path.join(BUILDS, name)
    log = os.path.join(where, 'meson-logs', f'testlog-{setup}.json' if setup else 'testlog.json')
    if os.path.exists(log):
        os.unlink(log)
    status = runner.call('meson', 'test', '-C', where, '--no-rebuild', '--print-errorlogs', '--suite', suite,
                         *(['--setup', setup] if setup else []),
                         env={'ASAN_OPTIONS': 'print_legend=0:detect_leaks=1',
                              'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'})
    return judge(read_meson(log), status, runner)


def build_and_test(runner, *how):
    result = build(runner, *how)
    if not result.failed:
        result.add(meson_test(runner, how[0]))
    return result


def pytest_once(runner, junit, folder, *options, root, env):
    if os.path.exists(junit):
        os.unlink(junit)
    env = BINARIES | (env or {})
    sudo = ['sudo', f'--preserve-env={",".join(env)},CI,PATH'] if root and os.geteuid() != 0 else []
    status = runner.call(*sudo, sys.executable, '-m', 'pytest', '-v', '-ra', '--durations=10', '--junitxml', junit,
                         '-o', f'cache_dir={os.path.join(LOGS, runner.name + ".cache")}', folder, *options, env=env)
    return read_junit(junit), status


def pytest(runner, folder, *options, root=False, env=None):
    """
    The tests of a folder. They run beside whatever else the machine does, so the few that failed are tried once more by
    themselves: one that passes then counts, and is named, for a test that leans on chance wants mending.
    """
    if not glob.glob(os.path.join(ROOT, folder, '**', 'test_*.py'), recursive=True):
        return Result(skipped=[(runner.name, f'there is no test in {folder}')])
    result, status = pytest_once(runner, os.path.join(LOGS, runner.name + '.xml'), folder, *options, root=root, env=env)
    if status == DEADLINE and result.passed:
        result.passed -= 1  # the interrupted test stands there as one that passed
    if status != DEADLINE and result.passed and 0 < len(result.failed) <= TRIED_AGAIN_MAX:
        again, status = pytest_once(runner, os.path.join(LOGS, runner.name + '.again.xml'), folder, '--last-failed', *options,
                                    root=root, env=env)
        if again.passed + len(again.failed) == len(result.failed):
            still = {name for name, _ in again.failed}
            result.notes += [f'passed at the second try: {name}' for name, _ in result.failed if name not in still]
            result.passed += again.passed
            result.failed = again.failed
    return judge(result, status, runner)


# Of tests/live, those of connections and requests: a suite of their own, beside the others.
REQUESTS = ('hostile', 'http1', 'metrics', 'pcap', 'privacy', 'req', 'send', 'send_tls', 'sock', 'spans', 'spool', 'tls', 'truth_requests')


def live(runner, of_requests, which='not long'):
    files = glob.glob(os.path.join(ROOT, 'tests', 'live', 'test_*.py'))
    others = [path for path in files if (os.path.basename(path)[len('test_'):-len('.py')] in REQUESTS) != of_requests]
    return pytest(runner, 'tests/live', *(f'--ignore={path}' for path in others), '-m', which, root=True)


def fallbacks(runner):
    """Live tests once more with an ability switched off, a row of tools/fallbacks.py each."""
    total = Result()
    for row in ROWS:
        part = copy.copy(runner)
        part.name = f'{runner.name}-{row.name}'
        wanted = ' or '.join(f'test_{name}.py' for name in row.files)
        chosen_tests = f'({wanted}) and not ({row.not_for})' if row.not_for else wanted
        types = {'UTRACE_BTF': '/sys/kernel/btf/vmlinux'} if 'btf' in row.without.split(',') else {}
        result = pytest(part, 'tests/live', '-m', 'not long', '-k', chosen_tests, root=True, env={'UTRACE_WITHOUT': row.without, **types})
        result.notes.append(f'{result.passed} passed without {row.name}')
        result.failed = [(f'without {row.name}: {test}', text) for test, text in result.failed]
        result.skipped = [(f'without {row.name}: {test}', why) for test, why in result.skipped]
        total.add(result)
    return total


def quickstart(runner):
    """What a newcomer sees: the calls of an nginx, and nothing of it left behind."""
    result = step(runner, './quickstart')
    said = runner.tail(1000)
    calls = re.findall(r'^\S+ nginx\[(\d+)\] .* ngx_http_\w+\(', said, re.MULTILINE)
    left = [pid for pid in re.findall(r'\(pids (\d+) (\d+)\)', said)[:1] for pid in pid if os.path.exists(f'/proc/{pid}')]
    if not result.failed and (not calls or left):
        return Result(failed=[(f'quickstart: {len(calls)} calls shown; left running: {left}', said)])
    return result


def verify(runner):
    """Every BPF program within its budget on this kernel; nothing is attached."""
    sudo = ['sudo'] if os.geteuid() != 0 else []
    return step(runner, *sudo, BINARIES['UTRACE'], 'verify')


def fuzz_each(runner, seconds):
    """Every fuzzer of tests/fuzz, so many seconds each; over what is known already, each is a unit test besides."""
    where = os.path.join(BUILDS, 'fuzz')
    result = build(runner, 'fuzz', 'clang', fuzz.OPTIONS, ('fuzzers',))
    for name in fuzz.names() if not result.failed else ():
        result.add(step(runner, sys.executable, os.path.join('tools', 'fuzz.py'), '-b', where, name, str(seconds)))
    return result


# Builds for their tests and warnings alone: half the time of the full optimization.
QUICK = ('-Doptimization=1',)
# Warnings of a sanitized build are not held against it: gcc warns of paths that only its own checks make.
SANITIZERS = ('-Db_sanitize=address,undefined', '-Db_lundef=false', *QUICK)

# name, from which level on, minutes until it is ended, function, its arguments, which suite must have passed before; the
# longest begin first
SUITES = (
    Suite('build', FAST, 5, build, ('gcc', 'gcc')),
    Suite('gates', FAST, 1, tool, ('gates.py',)),
    Suite('layers', FAST, 1, tool, ('layers.py',)),
    Suite('tools', FAST, 1, pytest, ('tests/tools',)),
    Suite('live', PLAIN, 25, live, (False,), needs='build'),
    Suite('requests', PLAIN, 20, live, (True,), needs='build'),
    Suite('golden', FAST, 1, pytest, ('tests/golden',), needs='build'),
    Suite('unit', FAST, 3, meson_test, ('gcc',), needs='build'),
    Suite('asan', PLAIN, 10, build_and_test, ('asan', 'gcc', SANITIZERS), needs='build'),
    Suite('valgrind', PLAIN, 10, meson_test, ('gcc', 'fuzz', 'valgrind'), needs='build'),
    Suite('clang', PLAIN, 5, build_and_test, ('clang', 'clang', ('-Dwerror=true', *QUICK)), needs='build'),
    Suite('quickstart', PLAIN, 5, quickstart, needs='build'),
    Suite('verify', PLAIN, 2, verify, needs='build'),
    Suite('static', PLAIN, 5, build, ('static', 'gcc', ('-Dwerror=true', '-Dstatic=true'), ('src/utrace',)), needs='build'),
    Suite('guests', PLAIN, 20, lambda r: pytest(r, 'tests/vm', '-m', 'not long', root=True), needs='static'),
    Suite('matrix', GUESTS, 60, lambda r: pytest(r, 'tests/vm', '-m', 'long', root=True), needs='static'),
    Suite('fuzz', ALL, 45, fuzz_each, (60,)),
    Suite('fallbacks', ALL, 60, fallbacks, needs='build'),
    Suite('long', ALL, 60, lambda r: pytest(r, 'tests/live', '-m', 'long', root=True), needs='build'),
)


def chosen(argv):
    """The suites that the command line asks for, with what they need."""
    known = {s.name: s for s in SUITES}
    names = [a for a in argv if not a.startswith('-')]
    for word in argv:
        if word not in known and word not in LEVELS:
            sys.exit(f"check: no suite or option '{word}'; suites: {' '.join(known)}; options: {' '.join(LEVELS)}")
    if names:
        wanted = set()
        while names:
            wanted.update(names)
            names = [known[n].needs for n in names if known[n].needs]
        return [s for s in SUITES if s.name in wanted]
    level = max((LEVELS[a] for a in argv), default=PLAIN)
    return [s for s in SUITES if s.level <= level]


def run(suite):
    """Runs one suite; one that breaks must not hide the others."""
    runner = Runner(suite)
    try:
        return suite.run(runner, *suite.args)
    except Exception as why:  # pylint: disable=broad-except
        return Result(failed=[(f'{suite.name}: {why!r}', runner.tail())])


class Plan:
    """Suites on their way, each begun when what it needs has passed, in the order of the table."""

    def __init__(self, suites):
        self.waiting, self.total = list(suites), Result()
        self.open, self.bad = {s.name for s in suites}, set()
        self.changed = threading.Condition()

    def _next(self):
        """A suite that can begin, once there is one; None when none is left."""
        with self.changed:
            while self.waiting:
                for suite in self.waiting:
                    if suite.needs not in self.open:
                        self.waiting.remove(suite)
                        return suite
                self.changed.wait()
        return None

    def _ended(self, suite, result, seconds):
        with self.changed:
            if Runner.ending:
                sys.exit()  # this worker alone: nobody reads on
            show(suite.name, result, seconds)
            self.total.add(result)
            self.open.remove(suite.name)
            if result.failed or suite.needs in self.bad:
                self.bad.add(suite.name)
            self.changed.notify_all()

    def work(self):
        while suite := self._next():
            began = time.monotonic()
            result = Result(skipped=[(suite.name, f'{suite.needs} failed')]) if suite.needs in self.bad else run(suite)
            self._ended(suite, result, time.monotonic() - began)

    def run(self):
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except BaseException:  # who ends us ends what we run
            with Runner.starting:
                Runner.ending = True
            for child in list(Runner.running):
                end_session(child)
            for worker in workers:
                if worker.is_alive():
                    worker.join(5)
            raise
        return self.total


def show(name, result, seconds):
    counts = f'{result.passed:5} passed {len(result.failed):4} failed {len(result.skipped):4} skipped'
    print(f'{name:11}{counts} {seconds:7.1f} s', flush=True)
    for note in result.notes:
        print(f'{"":11}{note}')
    for reason in dict.fromkeys(reason for _, reason in result.skipped):
        tests = [test for test, why in result.skipped if why == reason]
        print(f'{"":11}skipped {tests[0]}{f" and {len(tests) - 1} more" if tests[1:] else ""}: {reason}')
    for test, text in result.failed:
        print(f'{"":11}FAILED {test}')
        print('\n'.join(f'{"":12}{line}' for line in text.rstrip().splitlines()[-40:]), flush=True)


def main():
    # A shell without job control starts what stands before '&' with both ignored, and tests of Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    suites = chosen(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    os.makedirs(LOGS, exist_ok=True)
    began = time.monotonic()
    total = Plan(suites).run()
    print(f'{len(total.skipped)} skipped; {time.monotonic() - began:.0f} s; logs in {os.path.relpath(LOGS, os.getcwd())}')
    print(f'{total.passed} passed, {len(total.failed)} failed')
    return 1 if total.failed or not total.passed else 0


if __name__ == '__main__':
    sys.exit(main())
