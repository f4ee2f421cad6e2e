"""A recording is deleted when it is older than its agent wanted, and never before."""

import os
import stat
from pathlib import Path

from app.care.retention import DAY_S, keep_file, kept_for, sweep

NOW_S = 1_800_000_000.0


def recording(folder: Path, name: str, *, days: int, age_days: float) -> Path:
    path = folder / "calls" / name / "recording-MZ1.wav"
    kept_for(path, days, "clerk")
    path.write_bytes(b"sound")
    os.utime(path, (NOW_S - age_days * DAY_S,) * 2)
    return path


def test_only_what_is_too_old_goes(tmp_path: Path) -> None:
    old = recording(tmp_path, "CA1", days=30, age_days=30.1)
    young = recording(tmp_path, "CA2", days=30, age_days=29.9)
    kept = recording(tmp_path, "CA3", days=0, age_days=4_000)
    unknown = recording(tmp_path, "CA4", days=1, age_days=50)
    keep_file(unknown).unlink()
    (old.parent / "timeline.json").write_text("{}")

    assert sweep(tmp_path, NOW_S) == 1
    assert not old.exists() and not keep_file(old).exists()
    assert (old.parent / "timeline.json").exists()
    assert young.exists() and kept.exists() and unknown.exists()
    assert sweep(tmp_path, NOW_S) == 0


def test_a_file_that_says_nonsense_keeps_its_recording(tmp_path: Path) -> None:
    path = recording(tmp_path, "CA1", days=1, age_days=9)
    keep_file(path).write_text("{")
    assert sweep(tmp_path, NOW_S) == 0
    assert path.exists()


def test_what_is_written_is_for_its_user_only(tmp_path: Path) -> None:
    path = recording(tmp_path, "CA1", days=1, age_days=0)
    assert stat.S_IMODE(keep_file(path).stat().st_mode) == 0o600


def test_a_folder_without_calls_is_fine(tmp_path: Path) -> None:
    assert sweep(tmp_path / "nothing") == 0
