"""The completion scripts: parsed by their shells, and asked as a person who presses the tabulator asks."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from workload import UTRACE


def script(shell):
    return subprocess.run([UTRACE, "completion", shell], check=True, capture_output=True, text=True).stdout


def needs(shell, command=None):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    if command and subprocess.run([UTRACE, "help", command], capture_output=True).returncode:
        pytest.skip(f"no command {command} in this build")


# What readline hands to the function: $COMP_WORDS, split at blanks and at =.
BASH = """
set -u
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_utrace
printf '%s\\n' "${COMPREPLY[@]}"
"""

CASES = [
    (None, ["ver"], ["verify", "version"]),
    (None, ["--ver"], ["--version"]),
    ("explain", ["explain", "--js"], ["--json"]),
    ("explain", ["explain", "function_"], ["function_call", "function_stat"]),
    ("config", ["config", "v"], ["validate"]),
    ("config", ["config", "validate", "/etc/passw"], ["/etc/passwd", "/etc/passwd-"]),
    ("completion", ["completion", ""], ["bash", "fish", "zsh"]),
    ("help", ["help", "complet"], ["completion"]),
    ("version", ["version", "--json"], []),
    ("xyzzy", ["xyzzy", ""], []),
    ("func", ["func", "--exits", "s"], ["sites"]),
    ("func", ["func", "--exits", "=", "n"], ["none"]),
    ("func", ["func", "--color", "="], ["always", "auto", "never"]),
    ("func", ["func", "--no-f"], ["--no-follow"]),
    ("func", ["func", "-p", str(os.getpid())], [str(os.getpid())]),
    ("func", ["func", "-u", "roo"], ["root"]),
    ("func", ["func", "-e", "/etc/passw"], ["/etc/passwd", "/etc/passwd-"]),
    ("func", ["func", "x", "--", "tru"], ["true", "truncate"]),
    ("func", ["func", "x", "--", "ls", "/etc/passw"], ["/etc/passwd", "/etc/passwd-"]),
    ("func", ["func", "--depth", ""], []),
]


def exist(words):
    return [w for w in words if not w.startswith("/") or os.path.exists(w)]


@pytest.mark.parametrize("command,words,want", CASES, ids=[" ".join(w) for _, w, _ in CASES])
def test_bash_completes(tmp_path, command, words, want):
    needs("bash", command if command != "xyzzy" else None)
    (tmp_path / "utrace.bash").write_text(script("bash"))
    done = subprocess.run(["bash", "-c", BASH, "bash", str(tmp_path / "utrace.bash"), "utrace", *words], capture_output=True,
                          text=True)
    assert done.stderr == ""
    assert sorted(set(done.stdout.split())) == exist(want)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_parsed_by_its_shell(tmp_path, shell):
    needs(shell)
    path = tmp_path / "script"
    path.write_text(script(shell))
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FISH = [
    (None, "ver", ["verify", "version"]),
    ("explain", "explain --js", ["--json"]),
    ("explain", "explain function_", ["function_call", "function_stat"]),
    ("config", "config val", ["validate"]),
    ("func", "func --exits=s", ["--exits=sites"]),
    ("func", "func --exits s", ["sites"]),
    ("func", "func --no-f", ["--no-follow"]),
]


@pytest.mark.parametrize("command,line,want", FISH, ids=[line for _, line, _ in FISH])
def test_fish_completes(tmp_path, command, line, want):
    needs("fish", command)
    (tmp_path / "utrace.fish").write_text(script("fish"))
    asked = f"source {tmp_path}/utrace.fish; complete -C 'utrace {line}'"
    done = subprocess.run(["fish", "--no-config", "-c", asked], capture_output=True, text=True,
                          env={**os.environ, "HOME": str(tmp_path)})
    assert done.stderr == ""
    assert sorted(offer.split("\t")[0] for offer in done.stdout.splitlines()) == want


# And with a person's fingers: each shell on a terminal of its own, in which the tabulator is pressed.
TYPED = {
    "bash": (["bash", "--noprofile", "--rcfile", "{rc}", "-i"],
             "PS1=READY; bind 'set enable-bracketed-paste off'; source {script}"),
    "zsh": (["zsh", "-d", "-i"], """
PS1=; unsetopt prompt_sp beep
autoload -Uz compinit; compinit -D -u
source {script}
zle-line-init() {{ print -n READY }}; zle -N zle-line-init
bindkey '^I' complete-word
"""),
}
LINES = [
    (None, "vers", "utrace version"),
    ("explain", "explain --js", "utrace explain --json"),
    ("config", "config val", "utrace config validate"),
    ("func", "func --exits=s", "utrace func --exits=sites"),
    ("func", "func --no-f", "utrace func --no-follow"),
    ("func", "func -e /etc/hostn", "utrace func -e /etc/hostname"),
]
CUT_AND_PUT_BACK = b"\x01\x0b\x19"  # ^A^K^Y: the line is shown again, whole


def seen_until(terminal, wanted, deadline_s=20):
    """What the terminal shows up to @wanted, or up to the deadline; escape sequences left out."""
    seen = b""
    end = time.monotonic() + deadline_s
    while wanted not in seen and select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        seen = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen + os.read(terminal, 4096))
    return seen


@pytest.fixture(params=TYPED)
def terminal(request, tmp_path):
    """The terminal of a shell that has read its completion script and waits for a line."""
    needs(request.param)
    words, start = TYPED[request.param]
    (tmp_path / "script").write_text(script(request.param))
    (tmp_path / ".zshrc").write_text(start.format(script=tmp_path / "script"))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path), "TERM": "xterm"}
    ours, inner = pty.openpty()
    shell = subprocess.Popen([w.format(rc=tmp_path / ".zshrc") for w in words], stdin=inner, stdout=inner, stderr=inner, env=env,
                             start_new_session=True)
    os.close(inner)
    try:
        assert b"READY" in seen_until(ours, b"READY")
        yield ours
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@pytest.mark.parametrize("command,line,want", LINES, ids=[line for _, line, _ in LINES])
def test_the_tabulator_completes(terminal, command, line, want):
    needs("sh", command)
    os.write(terminal, b"utrace " + line.encode() + b"\t" + CUT_AND_PUT_BACK)
    assert want.encode() in seen_until(terminal, want.encode())
