"""Every record type of every header has its line in src/record/records.bpf.c, or recordings that hold it could not be read."""
import pathlib
import re

SRC = pathlib.Path(__file__).resolve().parents[2] / 'src'
TYPE = re.compile(r'(\w+)(?: =)? (REC_TYPE|REC_FACT_TYPE)\((REC_\w+), (\d+)\)')


def families():
    text = (SRC / 'bpf' / 'record.abi.h').read_text()
    return {name: int(number, 16) for name, number in re.findall(r'(REC_\w+) = (0x[0-9a-f]{2}),', text)}


def types_of_headers():
    family = families()
    return {name: family[of] << 8 | (0x80 if kind == 'REC_FACT_TYPE' else 0) | int(number)
            for path in SRC.rglob('*.abi.h') for name, kind, of, number in TYPE.findall(path.read_text())}


def types_of_layout():
    text = (SRC / 'record' / 'records.bpf.c').read_text()
    return {name: int(number, 16) for number, name in re.findall(r'struct \w+ r([0-9a-f]{4});\s*/\* (\w+) \*/', text)}


def test_every_record_type_is_in_the_layout_of_recordings():
    assert types_of_layout() == types_of_headers()


def test_no_family_has_two_records_of_one_number():
    numbers = list(types_of_headers().values())
    assert len(numbers) == len(set(numbers)) >= 16
