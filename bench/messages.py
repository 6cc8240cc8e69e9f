"""What it costs to make requests of bytes that were kept: of a --raw recording (--reparse), and of a capture, beside tshark on the same capture.

CPU time of the reading process a message, questions and answers counted: keep-alive requests of a small file by ab to an nginx, recorded
by utrace and captured by tcpdump at the same time. What either has lost counts as not there: figures are for what was read.
"""
import fnmatch
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import recordings
import tools
import web

ROWS = ('report: an HTTP/1 message, raw recording', 'report: an HTTP/1 message, capture')
REQUESTS, QUICK_REQUESTS = 20_000, 5_000
READY_SECONDS = 30


def missing():
    for program in ('nginx', 'ab', 'tcpdump', 'tshark'):
        if not shutil.which(program):
            return program + ' is not installed'
    return ''


def started(words, ready):
    """A program that has said on stderr that it is ready."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while ready not in (line := process.stderr.readline()):
        if not line:
            sys.exit(f'bench: {words[0]} did not begin')
    return process


def stop(process):
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=READY_SECONDS)


def gather(folder, requests):
    """Paths of the recording and the capture of the same requests, and the server's port."""
    server = web.Server(folder, 'messages')
    raw, capture = os.path.join(folder, 'raw.utr'), os.path.join(folder, 'web.pcap')
    recorder = started([tools.UTRACE, 'record', '-v', '-o', raw, 'req', '--raw', '--buffer', '256M', '-p', str(server.worker)], 'ready')
    dump = started(['tcpdump', '-i', 'lo', '-n', '-s', '2000', '-B', '262144', '-w', capture, '-Z', 'root', 'tcp', 'port', str(server.port)], 'listening on')
    subprocess.run(['ab', '-q', '-k', '-n', str(requests), '-c', '8', f'http://127.0.0.1:{server.port}/index.html'], check=True, stdout=subprocess.DEVNULL)
    time.sleep(1)  # tcpdump looks at its ring once a second
    stop(dump)
    stop(recorder)
    server.process.terminate()
    server.process.wait()
    return raw, capture, server.port


def messages_in(words):
    """Of each request that was read: a question and an answer."""
    said = subprocess.run([*words, '--stat', '--json'], capture_output=True, check=True).stdout.splitlines()
    return 2 * sum(o.get('requests', 0) for o in map(json.loads, said) if o['event_type'] == 'request_stat')


def costs(ways, messages, repeats):
    found = {name: [] for name in ways}
    for _ in range(repeats):
        for name, words in ways.items():
            ns = recordings.cpu_of_run(words)
            if ns is not None:
                found[name].append(ns / messages)
    return found


def rows(args, folder):
    """Yields (name, unit, {tool: figures}, messages that are missing)."""
    wanted = [name for name in ROWS if fnmatch.fnmatch(name, args.only)]
    if not wanted:
        return
    requests, repeats = (QUICK_REQUESTS, 2) if args.quick else (REQUESTS, 3)
    raw, capture, port = gather(folder, requests)
    fields = ['-d', f'tcp.port=={port},http', '-Y', 'http', '-T', 'fields', '-e', 'http.request.method', '-e', 'http.request.uri', '-e', 'http.response.code']
    ways = {ROWS[0]: {'utrace': [tools.UTRACE, 'report', raw, 'req', '--reparse']}, ROWS[1]: {'utrace': [tools.UTRACE, 'report', capture, 'req']}}
    for name in wanted:
        messages = messages_in(ways[name]['utrace'])
        with_output = {'utrace': [*ways[name]['utrace'], '--json', '-o', '/dev/null']}
        if name == ROWS[1]:
            with_output['tshark'] = ['tshark', '-n', '-r', capture, *fields]
        yield name, 'message', costs(with_output, messages, repeats), {'utrace': 2 * requests - messages}
