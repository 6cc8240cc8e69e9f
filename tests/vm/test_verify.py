"""Every BPF program passes the verifier of other kernels, within its budget."""


def test_every_program_is_within_its_budget(guest):
    _, seen = guest
    well, programs, complaints = seen.verified()
    assert (well, complaints) == (True, [])
    assert {"func", "syscall", "task"} <= {e["family"] for e in programs}
