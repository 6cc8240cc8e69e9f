"""Wrong input is answered by one line on stderr, nothing on stdout, and exit status 2; help and the rest by stdout alone."""
import json
import os
import re
import subprocess

import pytest

from workload import UTRACE

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("UTRACE")}


def utrace(*words, env=None, **kwargs):
    return subprocess.run([UTRACE, *words], capture_output=True, text=True, timeout=20, env={**CLEAN, **(env or {})}, **kwargs)


def answer(*words, env=None):
    done = utrace(*words, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def refusal(*words, env=None):
    done = utrace(*words, env=env)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"utrace: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


COMMANDS = re.findall(r"^  (\S+)", answer(), re.M)

WRONG = [
    (["fnc-xyzzy"], "no command is called 'fnc-xyzzy' (see: utrace help)"),
    (["confg"], "no command is called 'confg'; nearest: config"),
    (["verison"], "nearest: version"),
    (["Version"], "nearest: version"),
    ([""], "no command is called ''"),
    (["--json", "version"], "'--json' stands before the command"),
    (["-p", "12"], "'-p' stands before the command"),
    (["--"], "'--' stands before the command"),
    (["-"], "'-' stands before the command"),
    (["two\nlines"], "'two?lines'"),
    (["\x1b[31mred"], "'?[31mred'"),
    (["x" * 5000], "no command is called 'xxx"),
    (["help", "confg"], "nearest: config"),
    (["help", "config", "version"], "help takes no 'version': utrace help [COMMAND]"),
    (["version", "now"], "version takes no 'now'"),
    (["version", "--json"], "version has no option --json; it belongs to: "),
    (["version", "--depth", "3"], "version has no option --depth"),
    (["explain", "function_cal"], "no event is called 'function_cal'; nearest: function_call"),
    (["explain", "xyzzy"], "no event is called 'xyzzy' (list them: utrace explain)"),
    (["explain", "lost", "summary"], "explain takes no 'summary'"),
    (["explain", "--jsn"], "explain has no option --jsn; nearest: --json"),
    (["explain", "--json=yes"], "--json takes no value, and 'yes' is one"),
    (["explain", "-z"], "explain has no option -z"),
    (["completion"], "completion needs more words: utrace completion bash | zsh | fish"),
    (["completion", "csh"], "no completion for the shell 'csh'"),
    (["config"], "config needs more words"),
    (["config", "validat"], "config has no 'validat': utrace config generate | validate FILE"),
    (["config", "validate"], "config needs more words"),
    (["config", "validate", "/nonexistent"], "cannot read the configuration '/nonexistent': No such file or directory"),
    (["config", "validate", "/"], "cannot read the configuration '/': Is a directory"),
    (["config", "generate", "x"], "config takes no 'x'"),
    (["config", "explain", "dpeth"], "no setting is called 'dpeth'; nearest: depth"),
    (["config", "explain", "xyzzy"], "no setting is called 'xyzzy' (list them: utrace config explain)"),
    (["man", "confg"], "nearest: config"),
]


@pytest.mark.parametrize("words,want", WRONG, ids=[" ".join(w)[:40] for w, _ in WRONG])
def test_wrong_input_is_one_line_and_status_2(words, want):
    assert want in refusal(*words)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_an_unknown_option_and_says_where_help_is(command):
    line = refusal(command, "--xyzzy-option")
    assert line == f"utrace: {command} has no option --xyzzy-option (see: utrace {command} --help)\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_the_same_by_both_ways_and_fits_100_columns(command):
    text = answer(command, "--help")
    assert text == answer("help", command) == answer(command, "-h")
    assert text.startswith(f"utrace {command}: ")
    assert f"\nusage: utrace {command}" in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_says_where_counts_are_made_as_it_is():
    """Of calls in the kernel, of requests here."""
    def tables(command):
        return answer("help", command).split("\nTables:\n")[1].split("\n\n")[0]
    assert all("counted in the kernel" in " ".join(answer("help", command).split()) for command in ("func", "sys"))
    assert "counted in" not in answer("help", "req")
    assert "kernel" not in "".join(map(tables, ("func", "sys", "req", "report")))


def test_utrace_alone_fits_one_screen_and_names_every_page_of_the_manual():
    text, help_text = answer(), answer("--help")
    assert text.startswith(help_text) and text[len(help_text):].startswith("Here ")
    assert help_text == answer("-h") == answer("help")
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 110
    assert re.findall(r"^\.BR utrace\\-(\S+) ", answer("man"), re.M) == COMMANDS


def test_version_is_the_same_by_all_ways():
    text = answer("version")
    assert re.match(r"utrace \d+\.\d+\.\d+\n", text)
    assert text == answer("--version") == answer("-V") == answer("explain", "--version")


def test_a_full_disk_is_a_failure_not_silence():
    with open("/dev/full", "w") as full:
        done = subprocess.run([UTRACE, "version"], stdout=full, stderr=subprocess.PIPE, text=True, env=CLEAN)
    assert done.returncode == 1
    assert done.stderr == "utrace: cannot write to standard output: No space left on device\n"


BAD_FILES = [
    ('{\n  "depth": 1,\n  "dpeth": 2\n}', ":3: no setting is called 'dpeth'; nearest: depth"),
    ('{\n  "depth": "deep"\n}', ":2: depth must be an integer"),
    ('{\n  "min": "5 parsecs"\n}', ":2: min: '5 parsecs' is not a time (100ns, 10us, 5ms"),
    ('{\n  "buffer": "3M"\n}', ":2: buffer: '3M' is not a power of two from 64k to 1G"),
    ('{\n  "depth": 1,\n', ":3: "),
    ("", ":1: "),
    ("[]", ":1: a configuration is one JSON object"),
    ('{"name": ["\\n"], "x\\ny": 1}', ":1: no setting is called 'x?y'"),
]


@pytest.mark.parametrize("text,want", BAD_FILES)
def test_a_wrong_configuration_is_refused_by_file_and_line(tmp_path, text, want):
    path = tmp_path / "utrace.json"
    path.write_text(text)
    assert f"utrace: {path}{want}" in refusal("config", "validate", str(path))


def test_the_generated_configuration_is_valid(tmp_path):
    path = tmp_path / "utrace.json"
    path.write_text(answer("config", "generate"))
    assert answer("config", "validate", str(path)) == f"{path}: valid\n"


def test_the_schema_accepts_the_generated_configuration_and_refuses_wrong_ones():
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    schema = json.loads(answer("config", "schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    checker.validate(json.loads(answer("config", "generate")))
    good = [{"min": "5ms"}, {"min": 0.5}, {"name": ["a"]}, {"exits": "sites"}, {"depth": None}, {"sample": "1/100"}]
    bad = [{"dpeth": 1}, {"min": "5 parsecs"}, {"name": "a"}, {"exits": "often"}, {"depth": "1"}, {"sample": "1/0"}, {"pid": [0]}]
    assert all(checker.is_valid(g) for g in good)
    assert not any(checker.is_valid(b) for b in bad)


def test_every_setting_can_be_explained():
    settings = json.loads(answer("config", "generate"))
    listed = re.findall(r"^  (\w+)", answer("config", "explain"), re.M)
    assert listed == list(settings)
    for key in settings:
        text = answer("config", "explain", key)
        assert text.startswith(f"{key}: ")
        assert f"UTRACE_{key.upper()}\n" in text
        assert max(map(len, text.splitlines())) <= 100


def test_explain_tells_the_fields_of_every_event_and_their_schema():
    schema = json.loads(answer("explain", "--json"))
    names = re.findall(r"^  (\S+)", answer("explain"), re.M)
    assert [s["title"] for s in schema["oneOf"]] == names
    for name, all_of in zip(names, schema["oneOf"]):
        alone = json.loads(answer("explain", name, "--json"))
        assert alone["properties"] == all_of["properties"]
        assert re.findall(r"^  (\S+)", answer("explain", name), re.M) == list(alone["properties"])
        assert alone["properties"]["event_type"]["const"] == name


def test_the_event_schema_is_a_schema():
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    schema = json.loads(answer("explain", "--json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    call = {"timestamp": "2026-01-01T00:00:00.000000001Z", "event_type": "function_call", "function_name": "main"}
    jsonschema.validate(call, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**call, "function_nam": "main"}, schema)


@pytest.mark.parametrize("page", [[]] + [[c] for c in COMMANDS], ids=["utrace"] + COMMANDS)
def test_the_manual_has_no_warnings(tmp_path, page):
    if subprocess.run(["sh", "-c", "command -v man groff"], capture_output=True).returncode:
        pytest.skip("man-db or groff is not installed")
    path = tmp_path / "page.1"
    path.write_text(answer("man", *page))
    done = subprocess.run(["man", "-l", "--warnings=all", str(path)], capture_output=True, text=True,
                          env={**CLEAN, "MANWIDTH": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "EXIT STATUS" in done.stdout
