"""One table for people, the same as JSON. A figure is a median of pairwise differences or ratios, with their middle half."""
import datetime
import json
import os
import statistics
import sys

import tools

COLUMNS = '{:<34} {:>9} {:>9} {:>9}  {:>21} {:>21}  {}'
HEAD = COLUMNS.format('added to each call, ns of CPU', 'utrace', 'floor', 'bpftrace', 'utrace / floor', 'utrace / bpftrace', 'not told')


def spread(values):
    """Median, lowest, highest, and the bounds of the middle half: the extremes are the machine's, the middle is the program's."""
    ordered = sorted(values)
    n = len(ordered)
    return {'median': statistics.median(ordered), 'min': ordered[0], 'max': ordered[-1], 'low': ordered[n // 4],
            'high': ordered[-1 - n // 4], 'n': n}


def ratios(ours, theirs):
    return [a / b for a, b in zip(ours, theirs) if b > 0]


def calls_row(row, names, parts):
    """@parts: what percall.measure returned, one an instance."""
    added = {name: sum((part[0].get(name, []) for part in parts), []) for name in names}
    result = {'name': row.name, 'unit': 'ns', 'absolute': {}, 'ratio': {}, 'unseen': {}, 'left_out': {}}
    for name in names:
        if added[name]:
            result['absolute'][name] = spread(added[name])
        result['unseen'][name] = sum(part[1].get(name, 0) for part in parts)
    for peer in ('floor', 'bpftrace'):
        if added.get(peer) and added.get('utrace'):
            result['ratio'][peer] = spread(ratios(added['utrace'], added[peer]))
    for part in parts:
        result['left_out'].update(part[2])
    return result


def web_rows(names, samples):
    """@samples: {tool: [(requests/s, CPU ns a request)]}; each becomes a row, as a share of the bare server of the same turn."""
    for at, name, unit in ((0, 'nginx: requests/s, share of bare', 'share'), (1, 'nginx: CPU a request, times bare', 'times')):
        shares = {tool: ratios([s[at] for s in samples[tool]], [s[at] for s in samples['bare']]) for tool in names if samples.get(tool)}
        result = {'name': name, 'unit': unit, 'absolute': {tool: spread(v) for tool, v in shares.items()}, 'ratio': {},
                  'unseen': {}, 'left_out': {}, 'bare': spread([s[at] for s in samples['bare']])}
        for peer in ('floor', 'bpftrace'):
            if shares.get(peer) and shares.get('utrace'):
                result['ratio'][peer] = spread(ratios(shares['utrace'], shares[peer]))
        yield result


def cell(row, tool):
    value = row['absolute'].get(tool)
    return '-' if not value else f"{value['median']:.0f}" if row['unit'] == 'ns' else f"{value['median']:.2f}"


def ratio_cell(row, peer):
    value = row['ratio'].get(peer)
    return '{median:.2f} ({min:.2f}..{max:.2f})'.format(**value) if value else '-'


def print_row(row, first):
    if first:
        print(HEAD)
    unseen = ', '.join(f'{tool} {n}' for tool, n in row['unseen'].items() if n)
    print(COLUMNS.format(row['name'], *(cell(row, tool) for tool in ('utrace', 'floor', 'bpftrace')), ratio_cell(row, 'floor'),
                         ratio_cell(row, 'bpftrace'), unseen).rstrip(), flush=True)
    for why in row['left_out'].values():
        print(f'    {why}', file=sys.stderr)


def machine():
    with open('/proc/cpuinfo') as info:
        model = [line.split(':')[1].strip() for line in info if line.startswith('model name')]
    return {'kernel': os.uname().release, 'cpu': model[0] if model else os.uname().machine, 'cpus': len(tools.CPUS),
            'load': os.getloadavg()[0]}


def write(path, rows):
    now = datetime.datetime.now(datetime.timezone.utc)
    if not path:
        folder = os.path.join(tools.BENCH, 'results')
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, now.strftime('%Y%m%dT%H%M%SZ.json'))
    with open(path, 'w') as out:
        json.dump({'time': now.isoformat(), 'machine': machine(), 'rows': rows}, out, indent=1)
    print(f"on {machine()['cpus']} x {machine()['cpu']}, Linux {machine()['kernel']}, load {machine()['load']:.1f}; {path}")
