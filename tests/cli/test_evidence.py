"""`earshot evidence` tells a chain that is whole from one that was changed or never closed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import earshot
from app.records.chain import BEGAN, CLOSED, Chain


def evidence(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(earshot, ["evidence", *arguments], env=env)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Of the call CA1, in the data folder of these tests."""
    folder = tmp_path / "earshot-data" / "calls" / "CA1"
    folder.mkdir(parents=True)
    links = Chain()
    told = {"text": "You talk to a machine.", "heard_whole": True}
    kinds: dict[str, dict[str, object]] = {
        BEGAN: {"call": "CA1"},
        "notice": told,
        CLOSED: {"reason": "agent_hung_up"},
    }
    path = folder / "evidence.jsonl"
    path.write_bytes(b"".join(links.link(kind, 0, 0, what) for kind, what in kinds.items()))
    timeline = {"evidence": {"file": path.name, "links": 3, "head": links.head}}
    (folder / "timeline.json").write_text(json.dumps(timeline))
    return path


@pytest.mark.parametrize("named", ["CA1", "earshot-data/calls/CA1/evidence.jsonl"])
def test_a_whole_chain(chain: Path, named: str) -> None:
    result = evidence("verify", named)
    assert result.exit_code == 0, result.output
    assert "whole" in result.output
    assert "3 links" in result.output


def test_a_flipped_byte_is_found_with_its_line(chain: Path) -> None:
    chain.write_bytes(chain.read_bytes().replace(b"machine", b"Machine"))
    result = evidence("verify", "CA1")
    assert result.exit_code == 1
    assert "changed" in result.output
    assert "line 2: it does not fit its hash" in result.output


def test_another_chain_in_its_place_is_found(chain: Path) -> None:
    links = Chain()
    chain.write_bytes(b"".join(links.link(kind, 0, 0, {}) for kind in (BEGAN, CLOSED)))
    result = evidence("verify", "CA1")
    assert result.exit_code == 1
    assert "another last hash" in result.output


def test_a_chain_that_was_never_closed(chain: Path) -> None:
    lines = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(b"".join(lines[:-1]))
    chain.with_name("timeline.json").unlink()
    result = evidence("verify", "CA1")
    assert result.exit_code == 1
    assert "never closed" in result.output


def test_a_key_that_was_not_used(chain: Path) -> None:
    result = evidence("verify", "CA1", EARSHOT_EVIDENCE_KEY="0123456789abcdef")
    assert result.exit_code == 1
    assert "another key" in result.output


def test_links_are_shown(chain: Path) -> None:
    result = evidence("show", "CA1")
    assert result.exit_code == 0, result.output
    assert "heard_whole=true" in result.output


def test_a_call_without_evidence(chain: Path) -> None:
    result = evidence("verify", "CA2")
    assert result.exit_code != 0
    assert "No evidence at" in result.output
