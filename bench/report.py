"""One table for people, the same as JSON, and two such files side by side.

A row is {name, unit, figures: {tool: spread}, ratio: {peer: spread of ours to theirs}, unseen: {tool: n}, left_out: {tool: why}}.
Ratios are of rounds of the same turn where there are turns, so that what disturbs the machine disturbs both.
"""
import datetime
import json
import os
import statistics
import sys

import tools

COLUMNS = '{:<36} {:<9} {:>9} {:<13} {:>19}  {:>21}  {}'
HEAD = COLUMNS.format('', 'tool', 'figure', 'unit', 'spread', 'utrace / tool', 'not told')
UNITS = {'ns': 'ns a call', 'elapsed': 'ns a call', 'share': 'of bare', 'times': 'times bare', 'MB': 'MB', 'event': 'ns an event', 'message': 'ns a message', 'ms': 'ms, elapsed', 'instructions': 'instructions'}
WORSE = 1.05  # of a comparison: less is noise also where nothing disturbs


def spread(values):
    """Median, lowest, highest, and the bounds of the middle half: the extremes are the machine's, the middle is the program's."""
    ordered = sorted(values)
    n = len(ordered)
    return {'median': statistics.median(ordered), 'min': ordered[0], 'max': ordered[-1], 'low': ordered[n // 4],
            'high': ordered[-1 - n // 4], 'n': n}


def ratios(ours, theirs):
    return [a / b for a, b in zip(ours, theirs) if b > 0]


def make_row(name, unit, values, unseen=None, left_out=None):
    """@values: {tool: [figure, one a turn]}."""
    values = {tool: found for tool, found in values.items() if found}
    row = {'name': name, 'unit': unit, 'figures': {tool: spread(found) for tool, found in values.items()}, 'ratio': {},
           'unseen': unseen or {}, 'left_out': left_out or {}}
    for peer in values:
        against = ratios(values.get('utrace', []), values[peer])
        if peer != 'utrace' and against:
            row['ratio'][peer] = spread(against)
    return row


def calls_row(row, names, parts):
    """@parts: what percall.measure returned, one an instance."""
    added = {name: sum((part[0].get(name, []) for part in parts), []) for name in names}
    unseen = {name: sum(part[1].get(name, 0) for part in parts) for name in names}
    left_out = {name: why for part in parts for name, why in part[2].items()}
    return make_row(row.name, 'ns', added, unseen, left_out)


def web_rows(names, samples):
    """@samples: {tool: [(requests/s, CPU ns a request)]}; each becomes a row, as a share of the bare server of the same turn."""
    for at, name, unit in ((0, 'nginx: requests/s', 'share'), (1, 'nginx: CPU a request', 'times')):
        yield make_row(name, unit, {tool: ratios([s[at] for s in samples[tool]], [s[at] for s in samples['bare']])
                                    for tool in names if samples.get(tool)})


def number(value):
    return f'{value:.2f}' if value < 100 else f'{value:.0f}'


def print_row(row, first):
    if first:
        print(HEAD)
    for tool in (*tools.ALL, *(peer for peer in row['figures'] if peer not in tools.ALL)):
        figure, ratio, unseen = row['figures'].get(tool), row['ratio'].get(tool), row['unseen'].get(tool)
        if not figure:
            continue
        told = '{median:.2f} ({min:.2f}..{max:.2f})'.format(**ratio) if ratio else ''
        unit = 'ns, elapsed' if tool == 'ltrace' or row['unit'] == 'elapsed' else UNITS[row['unit']]
        print(COLUMNS.format(row['name'] if tool == 'utrace' else '', tool, number(figure['median']), unit,
                             f"{number(figure['low'])}..{number(figure['high'])}", told, unseen or '').rstrip(), flush=True)
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


# ---- two runs ----

COMPARED = '{:<36} {:<26} {:>19} {:>19}  {}'


def verdict(before, after, less_is_better):
    """By the middle halves: what lies within both is noise."""
    if after['low'] <= before['high'] and before['low'] <= after['high']:
        return ''
    times = after['median'] / before['median'] if before['median'] else 1
    if 1 / WORSE < times < WORSE:
        return ''
    return f"{'worse' if (times > 1) == less_is_better else 'better'}, x{times:.2f}"


def pairs(before, after):
    """What of two runs can be compared: our figures where nothing disturbs them, ratios to the peers of the same run elsewhere."""
    for name, row in after.items():
        old = before.get(name)
        if not old:
            continue
        if row['unit'] in ('MB', 'instructions') and 'utrace' in row['figures'] and 'utrace' in old['figures']:
            yield name, UNITS[row['unit']], old['figures']['utrace'], row['figures']['utrace'], True
        for peer in row['ratio']:
            if peer in old['ratio']:
                yield name, f'utrace / {peer}', old['ratio'][peer], row['ratio'][peer], row['unit'] != 'share'


def read(path):
    try:
        with open(path) as file:
            return {row['name']: row for row in json.load(file)['rows']}
    except OSError as why:
        sys.exit(f'bench: {path}: {why.strerror}; name the JSON of two runs')
    except (ValueError, TypeError, KeyError):
        sys.exit(f'bench: {path} is no result of bench/run: name the file that its --json wrote')


def compare(before, after):
    """Prints all that both have; returns how many have become worse."""
    both = pairs(read(before), read(after))
    worse = 0
    print(COMPARED.format('', 'figure', 'before', 'after', ''))
    for name, what, old, new, less_is_better in both:
        said = verdict(old, new, less_is_better)
        worse += said.startswith('worse')
        cells = [f"{number(f['median'])} ({number(f['low'])}..{number(f['high'])})" for f in (old, new)]
        print(COMPARED.format(name, what, *cells, said).rstrip())
    return worse
