"""The page of settings, in the settings' own words: `python -m app.setting_docs`.

The words stand beside the fields in app/settings.py; here is only what holds for all of them.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from app.settings import SERVING, Settings, variable_of

__all__ = ["render_page"]

_HEAD = """\
# Settings

<!-- Made by `python -m app.setting_docs > docs/settings.md`. Change app/setting_groups instead. -->

Every setting is an environment variable. `earshot` reads the environment first, then the file
`.env` in the folder in which it is started. Where both set a variable, the environment wins.

- A variable that is set to nothing counts as not set.
- `.env` is taken literally: `${OTHER}` is not expanded. Put values with spaces or `#` into quotes.
- A wrong value is one line that says what was expected and what came; the value of a secret is
  never shown. The command then exits with 1.
- An `EARSHOT_` variable that does not exist is a warning with the nearest right name.
- `earshot doctor` shows what is set, secrets masked; `earshot doctor --all` shows every setting.
"""

_TAIL = """\
### Where they are explained

- `REDIS_URL`: without it a private Redis is started where a server for it is installed; which one,
  and what is kept there, says [redis.md](redis.md).
- `DATABASE_URL`, `EARSHOT_KEEP_DAYS`: [database.md](database.md).
- `EARSHOT_DATA_DIR` holds the records of calls, recorded phrases, the private Redis and the
  metrics that workers share: [records.md](records.md#the-data-folder).
- `EARSHOT_MAX_CALLS`, `EARSHOT_MAX_LAG_MS`, `EARSHOT_WHEN_FULL`, `EARSHOT_DRAIN_S`:
  [deploy.md](deploy.md).
- `EARSHOT_SESSION_MINUTES`, `EARSHOT_SESSION_CONTEXT_TOKENS`, `EARSHOT_SESSION_SPEND_USD`,
  `EARSHOT_SUMMARY_MODEL`: what they do to the cost says [cost.md](cost.md).
- `EARSHOT_AFTER_CALL_MODEL`, `EARSHOT_AFTER_CALL_BASE_URL`, `EARSHOT_WEBHOOK_URL`,
  `EARSHOT_WEBHOOK_SECRET`, `EARSHOT_WEBHOOK_RETRY_S`: [after-the-call.md](after-the-call.md).
- `EARSHOT_TEXT_MODEL`, `EARSHOT_TEXT_BASE_URL`, `EARSHOT_TEXT_HOURS`: [text.md](text.md).
- `EARSHOT_CALLS_PER_SECOND`, `EARSHOT_NUMBER_CALLS_PER_SECOND`, `EARSHOT_CALLS_AT_ONCE`,
  `EARSHOT_CALLS_KEPT_FREE`: [campaign-pacing.md](campaign-pacing.md).
- `EARSHOT_MODEL_CONNECT_TIMEOUT_S`, `EARSHOT_MODEL_GIVE_UP_S`: when a call is given up says
  [how-a-call-ends.md](how-a-call-ends.md#when-a-model-fails).
"""


def render_page() -> str:
    """The whole page as Markdown."""
    fields = {variable_of(info): info for info in Settings.model_fields.values()}
    needed = [fields[name] for name in SERVING]
    others = [info for name, info in fields.items() if name not in SERVING]
    parts = [
        _HEAD,
        "## Needed to answer calls\n",
        _table(needed),
        "## All others\n",
        _table(others),
        _TAIL,
    ]
    return "\n".join(parts)


def _table(fields: Iterable[FieldInfo]) -> str:
    lines = ["| Variable | Meaning | Default | Expected |", "| --- | --- | --- | --- |"]
    for info in fields:
        cells = (_names(info), _meaning(info), _default(info), _expected(info))
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines) + "\n"


def _names(info: FieldInfo) -> str:
    aliases = info.validation_alias
    assert isinstance(aliases, AliasChoices)
    first, *more = [f"`{name}`" for name in aliases.choices]
    return f"{first} (or {', '.join(more)})" if more else first


def _meaning(info: FieldInfo) -> str:
    return info.description or ""


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value == "":
        return "not set"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{Path(text).as_posix() if isinstance(value, Path) else text}`"


def _expected(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["expected"])


def _cell(text: str) -> str:
    """One line that cannot end its cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(render_page(), end="")
