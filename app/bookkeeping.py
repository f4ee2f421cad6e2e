"""What calls leave for the database, told to whoever writes it there.

Who keeps no files of calls (EARSHOT_RECORD_EVENTS=false) keeps no rows of them.
"""

from functools import partial
from pathlib import Path

from app.after.record import AFTER_FILE, write_after
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import call_folder, timeline_path
from app.bridge.journal import Journal
from app.call.events import StreamStarted
from app.call.facts import CallFacts
from app.call.prices import Prices
from app.files import Files
from app.records.database import Database, sql_url
from app.records.keeper import RecordKeeper
from app.settings import Settings


def open_records(settings: Settings) -> RecordKeeper:
    """Reaches no database yet. Raises `DatabaseUrlError`."""
    url = sql_url(settings.database_url.get_secret_value(), settings.data_dir)
    return RecordKeeper(Database(url, pool=2), settings.data_dir)


def _prices(files: Files, model: str) -> Prices | None:
    return files.prices.prices_for(model)  # asked each time: the file may have changed


class Bookkeeping:
    """One per worker. `records` None: there is no database. Nothing here waits for one."""

    def __init__(self, records: RecordKeeper | None, files: Files) -> None:
        self._records = records
        if records is not None:
            records.prices_of = partial(_prices, files)

    def began(self, started: StreamStarted, facts: CallFacts, journal: Journal | None) -> None:
        """A stream is here. `journal` None: it is not recorded."""
        if self._records is None or journal is None:
            return
        self._records.began(
            call_id=started.call_id,
            stream_id=started.stream_id,
            timeline=timeline_path(journal.path),
            direction=started.direction,
            agent=started.agent,
            agent_version=started.agent_version,
            caller=facts.from_number,
            called=facts.to_number,
            attempt_id=facts.attempt_id,
        )

    def over(self, call: CallBridge) -> None:
        """Its timeline is written."""
        if self._records is not None:
            self._records.over(call.stream_id)

    async def write_after(self, data_dir: Path, call_id: str, record: dict[str, object]) -> Path:
        """See `app.after.record.write_after`."""
        if self._records is None:
            return await write_after(data_dir, call_id, record)
        await self._records.after(call_id, call_folder(data_dir, call_id) / AFTER_FILE)
        path = await write_after(data_dir, call_id, record)
        self._records.over_after(call_id)
        return path
