"""A number stands in a campaign once, whatever is loaded how often, and what became of its calls
stays when its data change. On both databases."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app.campaigns.importing.checking import Contact
from app.campaigns.importing.loading import CampaignMissingError, Fate, Loader
from app.campaigns.importing.rehearsal import Rehearsal
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.importing.conftest import NOW_MS, add_campaign


def contact(row: int, *numbers: str, name: str = "Ada", **others: Any) -> Contact:
    given = {"given": "2025-01-02", "source": "form"}
    return Contact(
        row=row,
        numbers=numbers or ("+12125550100",),
        zones=("America/New_York",),
        variables={"name": name},
        consent=others.get("consent", given),
        due_at_ms=NOW_MS,
    )


async def load(database: Database, batch: Sequence[Contact], **choices: Any) -> list[Fate]:
    loader = Loader(database, "spring", **choices)
    await loader.begin()
    return await loader.load(batch)


async def rows(database: Database) -> list[dict[str, Any]]:
    async with database.reading() as connection:
        found = await connection.execute(select(contacts).order_by(contacts.c.contact_id))
        return [dict(row) for row in found.mappings()]


@pytest.mark.usefixtures("spring")
async def test_a_contact_as_the_table_wants_it(database: Database) -> None:
    await load(database, [contact(2, "+12125550100", "+14155552671")])
    (row,) = await rows(database)
    assert {name: value for name, value in row.items() if value is not None} == {
        "contact_id": row["contact_id"],
        "campaign_id": "spring",
        "number": "+12125550100",
        "numbers": ["+12125550100", "+14155552671"],
        "zones": ["America/New_York"],
        "variables": {"name": "Ada"},
        "consent": {"given": "2025-01-02", "source": "form"},
        "row": 2,
        "state": "waiting",
        "due_at_ms": NOW_MS,
        "step": 0,
        "attempts": 0,
    }


@pytest.mark.usefixtures("spring")
async def test_no_consent_is_nothing_in_sql_too(database: Database) -> None:
    await load(database, [contact(2), contact(3, "+12125550101", consent=None)])
    async with database.reading() as connection:
        asked = text("SELECT number FROM contacts WHERE consent IS NULL")
        assert list((await connection.execute(asked)).scalars()) == ["+12125550101"]


@pytest.mark.usefixtures("spring")
async def test_the_same_again_loads_nobody(database: Database) -> None:
    batch = [contact(2), contact(3, "+12125550101"), contact(4)]
    loader = Loader(database, "spring")
    await loader.begin()
    assert [fate.kind for fate in await loader.load(batch)] == [
        *("loaded", "loaded", "again_in_file")
    ]
    assert await loader.load([contact(5, name="Bob")]) == [Fate("again_in_file", 2)]
    assert [fate.kind for fate in await load(database, batch)] == ["in_campaign"] * 3
    assert [row["variables"]["name"] for row in await rows(database)] == ["Ada", "Ada"]


@pytest.mark.usefixtures("spring")
async def test_an_update_changes_data_and_nothing_that_happened(database: Database) -> None:
    await load(database, [contact(2), contact(3, "+12125550101")])
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(state="done", attempts=3, step=1))
    fates = await load(
        database,
        [
            contact(8, name="Bob", consent=None),
            contact(9, "+12125550102", name="first"),
            contact(10, "+12125550102", name="last"),
        ],
        duplicates="update",
    )
    assert [fate.kind for fate in fates] == ["updated", "loaded", "updated"]
    first, second, third = await rows(database)
    assert (first["variables"], first["row"]) == ({"name": "Bob"}, 8)
    assert first["consent"] == {"given": "2025-01-02", "source": "form"}
    assert (first["state"], first["attempts"], first["step"]) == ("done", 3, 1)
    assert second["variables"] == {"name": "Ada"}
    assert third["variables"] == {"name": "last"}


@pytest.mark.usefixtures("spring")
async def test_what_stands_there_already_is_known_as_the_same(database: Database) -> None:
    await load(database, [contact(2)])
    fates = await load(database, [contact(2), contact(3, name="Bob")], duplicates="error")
    assert fates == [Fate("in_campaign", same=True), Fate("in_campaign", same=False)]


@pytest.mark.usefixtures("spring")
async def test_who_is_dialled_at_another_number_by_now_is_not_loaded_anew(
    database: Database,
) -> None:
    person = contact(2, "+12125550100", "+14155552671")
    await load(database, [person])
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(number="+14155552671", attempts=1))
    assert await load(database, [person]) == [Fate("in_campaign", same=True)]
    assert len(await rows(database)) == 1


@pytest.mark.usefixtures("spring")
async def test_other_campaigns(database: Database) -> None:
    await add_campaign(database, "summer", "running")
    await add_campaign(database, "over", "completed")
    for name, number in (("summer", "+12125550100"), ("over", "+12125550101")):
        loader = Loader(database, name)
        await loader.begin()
        await loader.load([contact(2, number)])
    batch = [contact(2), contact(3, "+12125550101")]
    assert await load(database, batch, across="skip") == [
        Fate("elsewhere", also_elsewhere=True),
        Fate("loaded"),
    ]
    assert await load(database, batch) == [
        Fate("loaded", also_elsewhere=True),
        Fate("in_campaign", same=True),
    ]


@pytest.mark.usefixtures("spring")
async def test_a_campaign_that_takes_nobody(database: Database) -> None:
    await add_campaign(database, "stopped", "stopped")
    for name, why in (("none", "there is no campaign 'none'"), ("stopped", "for good")):
        with pytest.raises(CampaignMissingError, match=why):
            await Loader(database, name).begin()
        with pytest.raises(CampaignMissingError, match=why):
            await Loader(database, name).load([contact(2)])


@pytest.mark.usefixtures("spring")
@pytest.mark.parametrize("duplicates", ["skip", "update", "error"])
@pytest.mark.parametrize("across", ["allow", "skip"])
async def test_a_rehearsal_says_the_same_and_loads_nobody(
    database: Database, tmp_path: Any, duplicates: Any, across: Any
) -> None:
    await add_campaign(database, "summer", "running")
    other = Loader(database, "summer")
    await other.begin()
    await other.load([contact(2, "+12125550103"), contact(3, "+12125550104")])
    await load(database, [contact(2), contact(3, "+12125550104")])
    batches = [
        [contact(2), contact(3, "+12125550101"), contact(4, "+12125550101", name="Bob")],
        [contact(5, "+12125550101"), contact(6, "+12125550103"), contact(7, "+12125550103")],
        [contact(8, name="Bob"), contact(9, "+12125550104"), contact(10, "+12125550105")],
    ]
    before = await rows(database)
    rehearsal = Rehearsal(
        database, "spring", tmp_path / "seen", duplicates=duplicates, across=across
    )
    await rehearsal.begin()
    said = [fate for batch in batches for fate in await rehearsal.load(batch)]
    rehearsal.close()
    assert await rows(database) == before
    loader = Loader(database, "spring", duplicates=duplicates, across=across)
    await loader.begin()
    done = [fate for batch in batches for fate in await loader.load(batch)]
    assert [(fate.kind, fate.of_row) for fate in said] == [
        (fate.kind, fate.of_row) for fate in done
    ]
