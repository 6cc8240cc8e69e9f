"""
Which live tests run once more with an ability switched off: the suite `fallbacks`, in ./check --all.

In the ordinary ./check, tests/live/test_fallback.py asks each ability for the same calls, values, tracepoints and system calls.
"""
from typing import NamedTuple

# What tracing does on the way: programs that unwind, fork, exec, map libraries; values; order; what is refused.
TRACING = ('func_shape', 'func_command', 'func_patterns', 'harm', 'targets', 'truth_order', 'truth_points', 'truth_returns', 'truth_values',
           'output')
# By perf events: few functions, and a killed tracer is gone only when they are, seconds later.
FEW = 'list_names or fifty or hundred or is_killed or killed_tracer'


class Row(NamedTuple):
    name: str
    files: tuple       # of tests/live: test_NAME.py
    not_for: str = ''  # what cannot be had without, or tells what is there: names of tests, for pytest -k
    together: tuple = ()  # several abilities at once, and name is none of them

    @property
    def without(self):
        """UTRACE_WITHOUT."""
        return ','.join(self.together or (self.name,))


ALONE = (
    Row('session', TRACING, 'list_names'),
    Row('cookie', TRACING, FEW),
    Row('ringbuf', (*TRACING, 'sys')),
    Row('bpf_loop', TRACING),
    Row('btf', (*TRACING, 'sys')),
)
ALL = ('session', 'multi', 'cookie', 'ringbuf', 'bpf_loop', 'btf', 'task_storage', 'semaphore', 'fentry', 'kprobe', 'kprobe_multi',
       'kprobe_session', 'tp_btf', 'iter', 'lsm')
# Without semaphores some probes stay silent; by perf buffers and without bpf_loop not all calls that were left are closed.
ROWS = (*ALONE, Row('all of them', (*TRACING, 'sys'), f'{FEW} or a_semaphore or too_deep or never_returns', ALL))
