#!/usr/bin/env python3
"""Makes recordings of every record type, and what this version shows of them. make.py BUILD_FOLDER [NAME...]

A recording that is here stays as it is for good: it is what an old utrace has left on somebody's disk. New record types and
new versions of the format get new files beside the old ones. What is shown may change for the better; --show writes only that.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
PROGRAM = HERE.parent / 'live' / 'test_record.py'

# A machine is nobody's business: the recordings tell of one that does not exist.
SHIM = r'''
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
int uname(struct utsname *u)
{
	long r = syscall(SYS_uname, u);
	strcpy(u->nodename, "golden");
	strcpy(u->release, "6.18.0");
	strcpy(u->version, "#1");
	return (int)r;
}
'''

# A server and its client in one process.
REQUESTS = '''
import http.server, threading, urllib.request, urllib.error
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in ('/', '/nothing/42?secret=7'):
    try:
        urllib.request.urlopen('http://127.0.0.1:%d%s' % (server.server_port, path)).read()
    except urllib.error.HTTPError:
        pass
server.shutdown()
'''

# The same over TLS, with the certificate of the folder that is its argument.
SECURE = '''
import http.server, ssl, sys, threading, urllib.request
at_server, at_client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=sys.argv[1] + '/cert.pem')
at_server.load_cert_chain(sys.argv[1] + '/cert.pem', sys.argv[1] + '/key.pem')
server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
server.socket = at_server.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.handle_request, daemon=True).start()
urllib.request.urlopen('https://localhost:%d/cert.pem' % server.server_port, context=at_client).read()
'''

# Name, words of utrace; {prog} is the program of tests/live/test_record.py, {probes} that of tests/prog/probes.c,
# {sockets} tests/prog/sockets.py, {folder} where all of them are.
RECORDINGS = {
    'calls': ['func', 'top', 'mid', 'leaf', 'pause_inside', 'libc:setenv', '--',
              'sh', '-c', '{prog} calls 3; {prog} forks 2; {prog} strings 2; {prog} threads 2; {prog} pause 0'],
    'lost': ['func', 'top', 'mid', 'leaf', '--no-args', '--buffer', '64k', '--', '{prog}', 'threads', '40'],
    'attached': ['func', 'libc:setenv', 'libc:nanosleep', 'nosuch:*', '-p', '{pid}'],
    'moved': ['sys', 'write', '--cgroup', '{cgroup}'],
    'stat': ['func', 'top', 'mid', 'leaf', '--stat', '--', '{prog}', 'threads', '20'],
    'points': ['func', 'usdt:*:*', 't:sched:sched_process_*', 't:signal:*', '--', '{probes}'],
    'sys': ['sys', '--', 'sh', '-c', 'echo hello > /dev/null; cat /etc/hostname /nonexistent'],
    'cut': ['export', '{here}/calls.utr', '--since', '0.05s'],
    'sock': ['req', '--raw', '--', '/usr/bin/python3', '{sockets}'],
    'req': ['req', '--', '/usr/bin/python3', '-c', REQUESTS],
    'ended': ['req', '--connections', '--', '/usr/bin/python3', '{sockets}'],
    'tls': ['req', '--raw', '--', '/usr/bin/python3', '-c', SECURE, '{folder}'],
    'sys-stat': ['sys', '--stat', '--', 'sh', '-c', 'cat /etc/hostname /nonexistent'],
}
SHOWN = {'txt': [], 'jsonl': ['--json']}


def build(folder):
    source = PROGRAM.read_text().split('PROGRAM = r"""')[1].split('"""')[0]
    for name, text, flags in (('prog', source, ['-pthread']), ('probes', (HERE.parent / 'prog' / 'probes.c').read_text(), []),
                              ('shim.so', SHIM, ['-shared', '-fPIC'])):
        (folder / f'{name}.c').write_text(text)
        subprocess.run(['gcc', '-O1', '-w', *flags, '-o', folder / name, folder / f'{name}.c'], check=True)
        (folder / f'{name}.c').unlink()
    shutil.copy(HERE.parent / 'prog' / 'sockets.py', folder)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', folder / 'key.pem',
                    '-out', folder / 'cert.pem', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
                   check=True, capture_output=True)


def make(utrace, name, folder):
    if RECORDINGS[name][0] == 'export':
        words = [word.format(here=HERE) for word in RECORDINGS[name]]
        subprocess.run([utrace, *words, '-o', HERE / f'{name}.utr'], check=True)
    else:
        record(utrace, name, folder)


def record(utrace, name, folder):
    """Those with {pid} or {cgroup} look at a shell that waits for a word, and then moves and starts the program: nobody can hold its children."""
    hierarchy = next(line.split()[1] for line in open('/proc/mounts') if line.split()[2] == 'cgroup2')
    cgroup = pathlib.Path(hierarchy) / 'utrace-golden'
    cgroup.mkdir(exist_ok=True)
    script = f'read word; echo $$ > {cgroup}/cgroup.procs; {folder}/prog strings 1; {folder}/prog pause 0; printf golden > /proc/self/comm; echo > /dev/null'
    shell = subprocess.Popen(['sh', '-c', script], stdin=subprocess.PIPE)
    words = [word.format(prog=folder / 'prog', probes=folder / 'probes', sockets='sockets.py', folder=folder, pid=shell.pid, cgroup=cgroup) for word in RECORDINGS[name]]
    at = words.index('--') if '--' in words else len(words)
    command = ['--', 'env', '-u', 'LD_PRELOAD', *words[at + 1:]] if '--' in words else []
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'TZ': 'Asia/Kolkata', 'LD_PRELOAD': str(folder / 'shim.so')}
    tracer = subprocess.Popen([utrace, 'record', '-v', '-o', HERE / f'{name}.utr', *words[:at], *command], env=env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder)
    for line in tracer.stderr:
        if 'ready' in line:
            shell.communicate(b'go\n')
            if '--cgroup' in words:
                tracer.send_signal(signal.SIGINT)
    tracer.wait()
    shell.communicate(b'go\n') if shell.poll() is None else None
    cgroup.rmdir()


def show(utrace, name):
    for suffix, words in SHOWN.items():
        out = subprocess.run([utrace, 'report', HERE / f'{name}.utr', *words], check=True, capture_output=True).stdout
        (HERE / f'{name}.{suffix}').write_bytes(out)


def main():
    words = [word for word in sys.argv[1:] if word != '--show']
    if not words:
        sys.exit(__doc__)
    utrace = pathlib.Path(words[0]).resolve() / 'src' / 'utrace'
    with tempfile.TemporaryDirectory(prefix='golden-') as folder:
        build(pathlib.Path(folder))
        for name in words[1:] or sorted(path.stem for path in HERE.glob('*.utr')):
            if '--show' not in sys.argv:
                make(utrace, name, pathlib.Path(folder))
            show(utrace, name)


if __name__ == '__main__':
    main()
