"""What tracing the 20 functions that nginx calls most costs a loaded nginx: one server a tool, each of its own, loaded in turn."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time

import symbols
import tools

NAME = 'nginx'
FUNCTIONS = 20
LOAD_SECONDS = 1
CONNECTIONS = 16
READY_SECONDS = 30
READY_REQUESTS = 50

CONFIGURATION = '''daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; user root;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
'''


def missing():
    for program in ('nginx', 'wrk'):
        if not shutil.which(program):
            return program + ' is not installed'
    return ''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Server:
    """nginx with one worker, from a copy of the binary of its own."""

    def __init__(self, folder, name):
        self.folder, self.port = os.path.join(folder, 'nginx-' + name), free_port()
        os.makedirs(self.folder)
        self.path = os.path.join(self.folder, 'nginx')
        shutil.copy(shutil.which('nginx'), self.path)
        with open(os.path.join(self.folder, 'index.html'), 'w') as page:
            page.write('x' * 512)
        with open(os.path.join(self.folder, 'nginx.conf'), 'w') as conf:
            conf.write(CONFIGURATION.format(folder=self.folder, port=self.port))
        self.process = subprocess.Popen([self.path, '-p', self.folder, '-c', os.path.join(self.folder, 'nginx.conf')],
                                        stderr=subprocess.DEVNULL, preexec_fn=tools.pinned(tools.TRACED))
        self.worker = self.find_worker()

    def find_worker(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children') as children:
                pids = children.read().split()
            if pids:
                return int(pids[0])
            time.sleep(0.01)
        raise TimeoutError('nginx did not start')

    def cpu_ns(self):
        with open(f'/proc/{self.worker}/schedstat') as stat:
            return int(stat.read().split()[0])

    def load(self, seconds=LOAD_SECONDS):
        """Returns requests/s, CPU ns a request."""
        before = self.cpu_ns()
        done = subprocess.run(['wrk', '-t1', f'-c{CONNECTIONS}', f'-d{seconds}s', f'http://127.0.0.1:{self.port}/'],
                              capture_output=True, text=True, check=True, preexec_fn=tools.pinned(tools.TRACING))
        requests = int(re.search(r'(\d+) requests in', done.stdout)[1])
        return float(re.search(r'Requests/sec: +([\d.]+)', done.stdout)[1]), (self.cpu_ns() - before) / max(1, requests)

    def request_ns(self):
        """CPU ns a request, of a few."""
        connection, before = http.client.HTTPConnection('127.0.0.1', self.port), self.cpu_ns()
        for _ in range(READY_REQUESTS):
            connection.request('GET', '/')
            connection.getresponse().read()
        connection.close()
        return (self.cpu_ns() - before) / READY_REQUESTS

    def wait_for_probes(self, bare_ns, tool):
        """Until requests are dear, and not getting dearer."""
        deadline, last = time.monotonic() + READY_SECONDS, 0
        while tool.alive() and time.monotonic() < deadline:
            now = min(self.request_ns() for _ in range(3))
            if now > 1.25 * bare_ns and now < 1.1 * last:
                return True
            last = now
            time.sleep(0.1)
        return False

    def close(self):
        self.process.terminate()
        self.process.wait()


def hot_functions(server):
    """The functions that a request calls most, by a run of our own."""
    out = os.path.join(server.folder, 'hot.json')
    with open(out, 'w') as file:
        tracer = subprocess.Popen([tools.UTRACE, 'func', 'ngx_*', '-p', str(server.worker), '--stat', '--exits=none', '--json', '--duration', '1s',
                                   '--max-overhead', 'none'], stdout=file, stderr=subprocess.DEVNULL)
        while tracer.poll() is None:
            server.request_ns()
    with open(out) as file:
        rows = [json.loads(line) for line in file]
    rows = [row for row in rows if row.get('event_type') == 'function_stat']
    return [row['function_name'] for row in sorted(rows, key=lambda row: -row['calls'])[:FUNCTIONS]]


def script_of(path, functions):
    """The same answer from bpftrace: count, sum and histogram a function."""
    return ' '.join(f'uprobe:{path}:{f} {{ @s{i}[tid] = nsecs; }} uretprobe:{path}:{f} /@s{i}[tid]/ {{ $d = nsecs - @s{i}[tid]; '
                    f'@t{i} = stats($d); @h{i} = hist($d); delete(@s{i}[tid]); }}' for i, f in enumerate(functions))


def start_tool(name, server, functions):
    out = os.path.join(server.folder, 'tool.out')
    if name == 'utrace':
        tool = tools.utrace(out, server.worker, ['u:' + f for f in functions], ['--stat'])
    elif name == 'floor':
        offsets = symbols.functions(server.path)
        tool = tools.floor(out, server.worker, server.path, 'hist', [offsets[f] for f in functions])
    else:
        tool = tools.bpftrace(out, server.worker, script_of(server.path, functions), tools.first_number(r'count (\d+)'))
    tool.start()
    return tool


def measure(names, repeats, folder):
    """{'bare' or tool: [(requests/s, CPU ns a request)]}, one a turn."""
    servers = {name: Server(folder, name) for name in ('bare', *names)}
    try:
        functions = hot_functions(servers['bare'])
        bare_ns = min(servers['bare'].request_ns() for _ in range(3))
        started = {name: start_tool(name, servers[name], functions) for name in names}
        ready = ['bare'] + [name for name in names if servers[name].wait_for_probes(bare_ns, started[name])]
        samples = {name: [] for name in ready}
        for i in range(repeats):
            for name in ready[i % len(ready):] + ready[:i % len(ready)]:
                samples[name].append(servers[name].load())
        for tool in started.values():
            tool.ask_to_stop()
        for tool in started.values():
            tool.wait()
    finally:
        for server in servers.values():
            server.close()
    return samples
