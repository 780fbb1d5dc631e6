"""Broken files: never an exception that is not ours, never a count that is silently wrong."""

import json
import os
import random
import warnings
import zipfile

import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ReliabilityStatsError
from reliability_stats.read import read_report
from tests.read.formats import FORMATS, read_back

MANY = 400 if os.environ.get("RELIABILITY_STATS_FULL") else 60
ROUNDS = [4, pytest.param(MANY, marks=pytest.mark.slow)]
DEEP = "[" * 100_000
WRONG = [
    None, True, False, 0, 1, -1, 2, 0.5, 10**400, 1e308, float("nan"), float("inf"), "", " ", "x",
    "1", "\x00", "\ud800", "ä,<b>\n", "ok" * 50_000, [], [[]], [None], {}, {"": None},
    {"value": {}}, [1] * 1000,
]  # fmt: skip


def base(name, folder):
    """Write a small log: one record of every kind that is well-formed, and one more success."""
    form = FORMATS[name]
    kinds = [kind for kind in form.kinds if kind != "malformed"]
    records = [(kind, i, 0) for i, kind in enumerate(kinds)] + [("success", 0, 1)]
    form.write(folder, "s0", records)
    return records


def attempt(name, folder, **more):
    """Read, and give trials, or None where the package refuses; anything else is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trials = read_back(name, folder, **{"missing": "bounds", **more})
        except ReliabilityStatsError:
            return None
        report = read_report(trials)
        assert int(trials.report()["records"].sum()) == report.n_records
        assert trials.n_trials + trials.n_missing == sum(report.kept.values())
    return trials


def files_of(folder):
    return sorted(file for file in folder.rglob("*") if file.is_file())


def broken_bytes(rng, data):
    """Cut, flip, overwrite, insert or repeat some bytes."""
    place = rng.randrange(len(data) + 1)
    kind = rng.randrange(6)
    if kind == 0:
        return data[:place]
    if kind == 1:
        made = bytearray(data)
        for _ in range(rng.choice([1, 1, 3, 20])):
            made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
        return bytes(made)
    junk = rng.choice([
        b"\x00", b"\xff\xfe", b"{", b"]", b'"', b"\n", b"\r\n", b",", b"NaN", b"1e999", b"-",
        b"\xef\xbb\xbf", rng.randbytes(9), b"9" * 5000, DEEP.encode()[:50_000],
    ])  # fmt: skip
    if kind == 2:
        return data[:place] + junk + data[place + len(junk) :]
    if kind == 3:
        return data[:place] + junk + data[place:]
    if kind == 4:
        return data[:place] + data[rng.randrange(len(data)) :]
    return rng.choice([b"", junk, data + data, data[::-1]])


def nodes(value, path=()):
    """List the places in parsed JSON."""
    yield path
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        yield from nodes(child, (*path, key))


def changed(rng, value):
    """Change one place of parsed JSON: another value, or nothing."""
    places = [path for path in nodes(value) if path]
    if not places:
        return rng.choice(WRONG), ()
    *path, last = rng.choice(places)
    holder = value
    for key in path:
        holder = holder[key]
    if isinstance(holder, dict) and rng.random() < 0.2:
        del holder[last]
    else:
        holder[last] = rng.choice(WRONG)
    return value, (*path, last)


def reported(name, seed, file):
    return f"{name}, seed {seed}, {file.name}"


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("name", FORMATS)
def test_broken_bytes(name, rounds, tmp_path):
    base(name, tmp_path)
    originals = {file: file.read_bytes() for file in files_of(tmp_path)}
    for seed in range(rounds):
        rng = random.Random(f"{name} {seed}")
        file = rng.choice(list(originals))
        file.write_bytes(broken_bytes(rng, originals[file]))
        try:
            attempt(name, tmp_path, malformed=rng.choice(["raise", "skip"]))
        except Exception as error:
            raise AssertionError(reported(name, seed, file)) from error
        file.write_bytes(originals[file])


JSON_FORMATS = [name for name in FORMATS if name not in ("junit", "csv", "parquet", "arrow")]


def parsed(file):
    """Parse a file as (list of values, function that writes them)."""
    if file.suffix == ".jsonl":
        values = [json.loads(line) for line in file.read_text("utf-8").split("\n")]
        return values, lambda some: file.write_text("\n".join(map(json.dumps, some)), "utf-8")
    if file.suffix == ".eval":
        with zipfile.ZipFile(file) as archive:
            members = {one: json.loads(archive.read(one)) for one in archive.namelist()}

        def pack(some):
            with zipfile.ZipFile(file, "w") as archive:
                for one, value in zip(members, some, strict=True):
                    archive.writestr(one, json.dumps(value))

        return list(members.values()), pack
    return [json.loads(file.read_text("utf-8"))], lambda some: file.write_text(
        json.dumps(some[0]), "utf-8"
    )


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("name", JSON_FORMATS)
def test_wrong_values(name, rounds, tmp_path):
    base(name, tmp_path)
    originals = {file: file.read_bytes() for file in files_of(tmp_path)}
    for seed in range(rounds):
        rng = random.Random(f"{name} {seed}")
        file = rng.choice(list(originals))
        values, write = parsed(file)
        row = rng.randrange(len(values))
        values[row], _ = changed(rng, values[row])
        write(values)
        try:
            attempt(name, tmp_path, malformed=rng.choice(["raise", "skip"]))
        except Exception as error:
            raise AssertionError(reported(name, seed, file)) from error
        file.write_bytes(originals[file])


RECORDS = {
    "tau_bench": (),
    "tau2": ("simulations",),
    "terminal_bench": ("results",),
    "inspect": ("samples",),
    "helm": (),
}
OTHERS = {"metr", "agentrelbench", "evalpower", "jsonl", "lm_eval"}


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("name", [*RECORDS, *sorted(OTHERS)])
def test_one_wrong_record_changes_no_other(name, rounds, tmp_path):
    """All records stay in the account, and at most the one that was changed counts otherwise."""
    base(name, tmp_path)
    whole = attempt(name, tmp_path)
    total, wins = read_report(whole).n_records, int(whole.counts.successes.sum())
    originals = {file: file.read_bytes() for file in files_of(tmp_path)}
    logs = [file for file in originals if file.name != "run_spec.json"]
    read = 0
    for seed in range(rounds):
        rng = random.Random(f"{name} {seed}")
        file = rng.choice(logs)
        values, write = parsed(file)
        rows = values
        if name in RECORDS:
            (rows,) = values
            for key in RECORDS[name]:
                rows = rows[key]
        row = rng.randrange(len(rows))
        rows[row], _ = changed(rng, rows[row])
        write(values)
        trials = attempt(name, tmp_path, malformed="skip", on_duplicate="last")
        file.write_bytes(originals[file])
        if trials is not None:
            read += 1
            note = reported(name, seed, file)
            assert read_report(trials).n_records == total, note
            assert abs(int(trials.counts.successes.sum()) - wins) <= 1, note
            known = trials.n_trials - whole.n_trials
            assert abs(known) <= 2, note
    assert read


def test_every_cut_of_json_is_refused(tmp_path):
    for name in ("tau_bench", "terminal_bench", "inspect", "swe_bench"):
        folder = tmp_path / name
        folder.mkdir()
        base(name, folder)
        file = files_of(folder)[0]
        data = file.read_bytes()
        for place in range(0, len(data) - 1, max(1, len(data) // 25)):
            file.write_bytes(data[:place])
            assert attempt(name, folder) is None, (name, place)


def test_nothing_is_returned_from_a_damaged_archive(tmp_path):
    base("inspect_eval", tmp_path)
    (file,) = files_of(tmp_path)
    data = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        ranges = [
            (i.header_offset + 30 + len(i.filename), i.compress_size) for i in archive.infolist()
        ]
    for start, size in ranges:
        made = bytearray(data)
        made[start + size // 2] ^= 4
        file.write_bytes(bytes(made))
        assert attempt("inspect_eval", tmp_path) is None


def test_deep_nesting_is_refused(tmp_path):
    for name in JSON_FORMATS:
        folder = tmp_path / name
        folder.mkdir()
        base(name, folder)
        for file in files_of(folder):
            if file.suffix == ".eval":
                with zipfile.ZipFile(file, "w") as archive:
                    archive.writestr("header.json", DEEP)
            else:
                file.write_text(DEEP)
        assert attempt(name, folder) is None
        with pytest.raises(ReliabilityStatsError):
            rs.read(folder)


def packed(file, members):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file


def test_hostile_archives(tmp_path):
    header = json.dumps({"eval": {"model": "m", "task": "t"}, "status": "success"})
    one = json.dumps({"id": 1, "epoch": 1, "scores": {"match": {"value": "C"}}})
    link = zipfile.ZipInfo("samples/link.json")
    link.external_attr = 0o120777 << 16
    for i, extra in enumerate((
        {"samples/../../up.json": one},
        {"/etc/up.json": one},
        {"C:\\up.json": one},
        {"samples\\..\\..\\up.json": one},
        {link: "/etc/passwd"},
        {"samples/bomb.json": "[" + "0," * 30_000_000 + "0]"},
    )):  # fmt: skip
        file = packed(
            tmp_path / f"s{i}.eval", {"header.json": header, "samples/1.json": one, **extra}
        )
        with pytest.raises(rs.TrialDataError, match=r"outside|is a link|max_bytes"):
            rs.read_inspect(file)
    whole = packed(tmp_path / "s9.eval", {"header.json": header, "samples/1.json": one})
    assert rs.read_inspect(whole).n_trials == 1
    with pytest.raises(rs.TrialDataError, match="max_bytes"):
        rs.read_inspect(whole, max_bytes=20)


@pytest.mark.parametrize(
    ("place", "value"), [(6, 200), (8, 1), (8, 64), (10, 14), (10, 99), (16, 7)]
)
def test_archives_that_cannot_be_unpacked(tmp_path, place, value):
    """A version nobody knows, encryption, another packing, a wrong sum: all members say so."""
    base("inspect_eval", tmp_path)
    (file,) = files_of(tmp_path)
    data = bytearray(file.read_bytes())
    for signature, shift in ((b"PK\x01\x02", 0), (b"PK\x03\x04", -2)):
        at = data.find(signature)
        while at >= 0:
            data[at + place + shift] = value
            at = data.find(signature, at + 4)
    file.write_bytes(bytes(data))
    assert attempt("inspect_eval", tmp_path) is None


def test_a_damaged_parquet_file_on_which_polars_panics(tmp_path, monkeypatch):
    """Polars may panic, which is no Exception; the file is then read by Arrow, or refused."""
    pl = pytest.importorskip("polars")

    class PanicException(BaseException):
        pass

    def panic(*_, **__):
        raise PanicException("called `Result::unwrap()` on an `Err` value")

    base("parquet", tmp_path)
    whole = attempt("parquet", tmp_path)
    monkeypatch.setattr(pl.LazyFrame, "collect", panic)
    assert attempt("parquet", tmp_path) == whole
    monkeypatch.setattr(pl, "read_parquet_schema", panic)
    assert attempt("parquet", tmp_path) == whole


def test_text_and_offsets_of_arrow_are_checked(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.feather

    for offsets, text in (((0, 1, 3), b"t\xff\xfe"), ((0, 9, 3), b"tuv")):
        buffers = [None, pa.array(offsets, pa.int32()).buffers()[1], pa.py_buffer(text)]
        task = pa.Array.from_buffers(pa.utf8(), 2, buffers)
        table = pa.table({"system": ["a", "a"], "task": task, "success": [1, 0]})
        file = tmp_path / "s0.feather"
        pyarrow.feather.write_feather(table, file, compression="uncompressed")
        with pytest.raises(rs.TrialDataError, match="cannot be read"):
            rs.read_table(file)
