"""What was written to the log is read back, also by another process and after a crash."""

from pathlib import Path

from app.lab.carrier.log import Line, Log, read_log


def test_lines_are_on_disk_before_the_log_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = Log(path)
    lines = [Line(n, "placed", f"CA{n}", {"to": "+14155550100"}) for n in range(3)]
    for line in lines:
        log.write(line)
    assert list(read_log(path)) == lines
    log.close()


def test_a_log_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for n in range(2):
        log = Log(path)
        log.write(Line(n, "status", "CA1", {"status": "busy"}))
        log.close()
    assert [line.at_ms for line in read_log(path)] == [0, 1]


def test_half_a_line_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"at_ms": 1, "what": "told", "call_sid": "CA1"}\n{"at_ms": 2, "wh')
    assert [line.at_ms for line in read_log(path)] == [1]


def test_without_a_file_nothing_is_kept() -> None:
    log = Log(None)
    log.write(Line(1, "placed"))
    log.close()
