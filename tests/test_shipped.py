"""The shipped folders are found in a wheel and in a checkout; a wheel's own copy comes first."""

from pathlib import Path

import pytest

from app.shipped import ShippedFolderMissingError, shipped


def test_the_checkout_ships_the_documents() -> None:
    assert (shipped("twiml") / "inbound.xml.j2").is_file()


def test_a_wheel_carries_the_folder_inside_the_package(tmp_path: Path) -> None:
    inside = tmp_path / "app" / "_shipped" / "twiml"
    inside.mkdir(parents=True)
    (tmp_path / "twiml").mkdir()
    assert shipped("twiml", tmp_path / "app") == inside


def test_a_checkout_has_the_folder_beside_the_package(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    assert shipped("agents", tmp_path / "app") == tmp_path / "agents"


def test_an_incomplete_installation_says_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ShippedFolderMissingError, match=r"'agents'.*Install Earshot again"):
        shipped("agents", tmp_path / "app")
