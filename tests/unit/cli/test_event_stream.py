"""What a file of events may come in, and what is said of files that hold none."""

from __future__ import annotations

import gzip
import io

import pytest

from cli import event_stream
from cli.event_stream import plain
from cli.problem import Code, Problem

EVENTS = '{"name": "Ada Lövelace 🎩"}\n{"b": 2}\n' * 1000
UTF8 = EVENTS.encode()


@pytest.mark.parametrize(
    "content",
    [
        UTF8,
        b"\xef\xbb\xbf" + UTF8,
        gzip.compress(UTF8),
        gzip.compress(UTF8) + gzip.compress(b""),
        gzip.compress(gzip.compress(UTF8)),
        EVENTS.encode("utf-16"),
        b"\xfe\xff" + EVENTS.encode("utf-16-be"),
        EVENTS.encode("utf-16-le"),
        EVENTS.encode("utf-16-be"),
        EVENTS.encode("utf-32"),
        gzip.compress(EVENTS.encode("utf-16")),
    ],
)
@pytest.mark.parametrize("chunk", [16, event_stream.CHUNK])
def test_gzip_and_other_encodings_are_undone(content: bytes, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "CHUNK", chunk)
    assert UTF8 == plain(io.BytesIO(content), "f").read()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04...", "f is a ZIP archive, or a spreadsheet. Unpack it: unzip -p f | cxbus send -"),
        (b"\x28\xb5\x2f\xfd...", "f is compressed with zstd. Unpack it: zstd -dc f | cxbus send -"),
        (gzip.compress(b"BZh9...", mtime=0), "f is compressed with bzip2. Unpack it: bzip2 -dc f | cxbus send -"),
        (b"id;type;time\n1;2;3\n", "f looks like a table (CSV); expected events as JSON, one in each line. `cxbus"),
        ("\ufeffid,type\r\n1,2".encode("utf-16"), "f looks like a table (CSV); expected events as JSON"),
        (b"\n <?xml version='1.0'?>", "f looks like XML or HTML; expected events as JSON"),
        ("{}".encode("utf-16") + b"\x00", "f looks like UTF-16, but is not (truncated data); write it as UTF-8."),
    ],
)
def test_what_holds_no_events_is_named_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(Problem) as caught:
        plain(io.BytesIO(content), "f").read()
    assert Code.WRONG == caught.value.code
    assert str(caught.value).startswith(said)


def test_gzip_that_is_cut_short_is_told() -> None:
    with pytest.raises(Problem, match="f is gzip, but damaged or cut short"):
        plain(io.BytesIO(gzip.compress(UTF8)[:-20]), "f").read()


@pytest.mark.parametrize("content", [b"", b"oops", b'"{}"', b'{"a": 1, "b": 2}', b"[1, 2]"])
def test_what_may_be_json_is_left_to_its_reader(content: bytes) -> None:
    assert content == plain(io.BytesIO(content), "f").read()
