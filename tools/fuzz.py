#!/usr/bin/env python3
"""Runs one fuzzer of tests/fuzz: fuzz.py NAME [SECONDS [LIBFUZZER_OPTION...]]; without a name: which there are.

Builds it first, with clang and sanitizers, into build-fuzz/ (-b FOLDER: another). It begins with what it knows already
(FOLDER/corpus/NAME, which grows), with tests/fuzz/corpus/NAME and with the seeds that the build makes. What broke is left in
FOLDER/found/; mended, it belongs into tests/fuzz/corpus/NAME, where each `meson test` tries it again. SECONDS 0: all of that
once. Exit status 0: nothing broke.
"""
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = os.path.join(ROOT, 'tests', 'fuzz')
OPTIONS = ('-Dfuzz=true', '-Dc_args=-fsanitize=fuzzer-no-link', '-Db_sanitize=address,undefined', '-Db_lundef=false')
# Bounds of one input: time, memory at once and over all, bytes. Freed memory is kept out of use for ASan's sake.
BOUNDS = ('-timeout=10', '-rss_limit_mb=1024', '-malloc_limit_mb=512', '-max_len=65536')
SANITIZERS = {'ASAN_OPTIONS': 'detect_leaks=1:quarantine_size_mb=64:print_legend=0',
              'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}


def names():
    return sorted(os.path.basename(path)[len('fuzz_'):-len('.c')] for path in glob.glob(os.path.join(SOURCES, 'fuzz_*.c')))


def build(folder):
    """False when it cannot be built."""
    if not os.path.exists(os.path.join(folder, 'build.ninja')):
        if subprocess.run(['meson', 'setup', folder, *OPTIONS], cwd=ROOT, env={**os.environ, 'CC': 'clang'}, check=False).returncode:
            return False
    return subprocess.run(['ninja', '-C', folder, 'fuzzers'], check=False).returncode == 0


def run(folder, name, seconds, more):
    tests = os.path.join(folder, 'tests', 'fuzz')
    grown, found = os.path.join(folder, 'corpus', name), os.path.join(folder, 'found', '')
    os.makedirs(grown, exist_ok=True)
    os.makedirs(found, exist_ok=True)
    kept = [path for path in (os.path.join(SOURCES, 'corpus', name), os.path.join(tests, 'seeds_' + name)) if os.path.isdir(path)]
    words = os.path.join(SOURCES, name + '.dict')
    until = [f'-max_total_time={seconds}'] if seconds else ['-runs=0']
    return subprocess.run([os.path.join(tests, 'fuzz_' + name), *until, *BOUNDS, f'-artifact_prefix={found}{name}-', '-print_final_stats=1',
                           *([f'-dict={words}'] if os.path.exists(words) else []), *more, grown, *kept],
                          env={**os.environ, **SANITIZERS}, check=False).returncode


def main(words):
    folder = os.path.join(ROOT, 'build-fuzz')
    if words[:1] == ['-b'] and len(words) > 1:
        folder, words = os.path.abspath(words[1]), words[2:]
    if not words or words[0] not in names() or not (words[1:] or ['60'])[0].isdigit():
        print(f"fuzz.py [-b FOLDER] NAME [SECONDS [LIBFUZZER_OPTION...]]; names: {' '.join(names())}")
        return 0 if not words else 2
    if not build(folder):
        return 1
    return run(folder, words[0], int((words[1:] or ['60'])[0]), words[2:])


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
