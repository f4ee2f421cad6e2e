"""Checks of those we depend on: is OpenAI there, does Twilio know us, do Redis and the database
answer?

Each takes at most `timeout_s` and tells in a line what came; nothing here raises.
"""

import asyncio
import base64
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy import select

from app.doctor.report import Check
from app.records.database import Database, DatabaseAwayError, DatabaseUrlError, sql_url
from app.settings import Settings

GROUP = "Services"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    data: Mapping[str, Any]
    """Empty if the body is no JSON object."""


@dataclass(frozen=True, slots=True)
class _NoAnswer:
    reason: str


async def check_openai(
    settings: Settings, agents_model: str, *, today: datetime.date, timeout_s: float
) -> Check:
    """Is the key accepted, and is the model there to stay?"""
    key = settings.openai_api_key.get_secret_value()
    if not key:
        return Check(GROUP, "OpenAI", "skip", "OPENAI_API_KEY is not set")
    headers = {"Authorization": f"Bearer {key}"}
    if settings.openai_project:
        headers["OpenAI-Project"] = settings.openai_project
    url = f"{settings.openai_base_url}/models"
    answer = await _get(url, headers, timeout_s=timeout_s)
    if isinstance(answer, _NoAnswer):
        mend = "Check the network, a proxy in between, and OPENAI_BASE_URL."
        return Check(GROUP, "OpenAI", "fail", f"{url}: {answer.reason}", mend)
    if answer.status != 200:
        return _openai_refused(url, answer)
    return _model(settings.model_for(agents_model), answer.data, today)


def _openai_refused(url: str, answer: _Answer) -> Check:
    seen = f"{url} answers {answer.status}"
    if answer.status == 401:
        mend = "The key is not accepted: put a valid one into OPENAI_API_KEY."
        return Check(GROUP, "OpenAI", "fail", seen, mend)
    if answer.status == 403:
        mend = "The key may not list models: check its permissions, region and OPENAI_PROJECT."
        return Check(GROUP, "OpenAI", "warn", seen, mend)
    if answer.status == 404:
        mend = "Check the end of OPENAI_BASE_URL; OpenAI's own is /v1."
        return Check(GROUP, "OpenAI", "warn", seen, mend)
    return Check(GROUP, "OpenAI", "warn", seen, "Their trouble or their limit: try again later.")


def _model(model: str, listing: Mapping[str, Any], today: datetime.date) -> Check:
    entries = listing.get("data")
    if not isinstance(entries, list):
        mend = "OPENAI_BASE_URL does not seem to be an OpenAI API."
        return Check(GROUP, "OpenAI", "warn", "the list of models is not as documented", mend)
    known = {str(e.get("id")): e for e in entries if isinstance(e, dict)}
    if model not in known:
        seen = f"key accepted, but {model} is not among its {len(known)} models"
        mend = "Check EARSHOT_MODEL and the agent's model, or what the project may use."
        return Check(GROUP, "OpenAI", "warn", seen, mend)
    end = _date(known[model].get("shutdown_date"))
    mend = "Set EARSHOT_MODEL, or the agent's model, to one that stays."
    if end is not None and end <= today:
        return Check(GROUP, "OpenAI", "fail", f"{model} was shut down on {end}", mend)
    if end is not None:
        days = (end - today).days
        seen = f"key accepted; {model} shuts down on {end}, in {days} days"
        return Check(GROUP, "OpenAI", "warn", seen, mend)
    return Check(GROUP, "OpenAI", "ok", f"key accepted, {model} is there")


def _date(value: object) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


async def check_twilio(settings: Settings, *, timeout_s: float) -> Check:
    """Does Twilio accept the account and its first token, and is the account alive?"""
    sid, tokens = settings.twilio_account_sid, settings.twilio_auth_tokens
    if not (sid and tokens):
        return Check(GROUP, "Twilio", "skip", "TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set")
    url = f"{settings.twilio_api_url}/2010-04-01/Accounts/{sid}.json"
    login = base64.b64encode(f"{sid}:{tokens[0]}".encode()).decode()
    answer = await _get(url, {"Authorization": f"Basic {login}"}, timeout_s=timeout_s)
    if isinstance(answer, _NoAnswer):
        mend = "Check the network, a proxy in between, and EARSHOT_TWILIO_API_URL."
        return Check(GROUP, "Twilio", "fail", f"{settings.twilio_api_url}: {answer.reason}", mend)
    if answer.status in (401, 403, 404):
        seen = f"account and token are not accepted ({answer.status})"
        mend = "Copy both from Twilio's console; the primary token comes first."
        return Check(GROUP, "Twilio", "fail", seen, mend)
    if answer.status != 200:
        seen = f"{settings.twilio_api_url} answers {answer.status}"
        return Check(
            GROUP, "Twilio", "warn", seen, "Their trouble or their limit: try again later."
        )
    return _account(answer.data)


def _account(data: Mapping[str, Any]) -> Check:
    status, kind = str(data.get("status", "")), str(data.get("type", ""))
    if status and status != "active":
        mend = "Twilio's console says why; calls will not be answered until then."
        return Check(GROUP, "Twilio", "fail", f"the account is {status}", mend)
    if kind == "Trial":
        mend = "A trial account calls verified numbers only and speaks a notice first."
        return Check(GROUP, "Twilio", "warn", "credentials accepted, trial account", mend)
    return Check(GROUP, "Twilio", "ok", "credentials accepted")


async def check_redis(settings: Settings, *, timeout_s: float) -> Check:
    url = settings.redis_url.get_secret_value()
    if not url:
        return Check(GROUP, "Redis", "skip", "REDIS_URL is not set; fine for one machine")
    mend = "Start Redis, or mend REDIS_URL."
    try:
        client = redis.asyncio.from_url(url)
    except ValueError as error:
        return Check(GROUP, "Redis", "fail", f"REDIS_URL cannot be read: {error}", mend)
    try:
        async with asyncio.timeout(timeout_s), client:
            await client.ping()
    except TimeoutError:
        return Check(GROUP, "Redis", "fail", f"no answer within {timeout_s:g} s", mend)
    except (RedisError, OSError) as error:
        return Check(GROUP, "Redis", "fail", f"no answer: {type(error).__name__}", mend)
    except (AttributeError, TypeError, ValueError):
        # What the client makes of a peer that talks, but not as Redis does.
        return Check(GROUP, "Redis", "fail", "what answers there is not Redis", mend)
    return Check(GROUP, "Redis", "ok", "answers")


async def check_database(settings: Settings, *, timeout_s: float) -> Check:
    try:
        url = sql_url(settings.database_url.get_secret_value(), settings.data_dir)
    except DatabaseUrlError as error:
        return Check(GROUP, "Database", "fail", str(error), "Mend DATABASE_URL.")
    if not settings.database_url.get_secret_value():
        return Check(GROUP, "Database", "skip", "SQLite in the data folder; fine for one machine")
    database = Database(url, pool=1)
    try:
        async with asyncio.timeout(timeout_s), database.reading() as connection:
            await connection.execute(select(1))
    except (TimeoutError, DatabaseAwayError):
        mend = "Start the database, or mend DATABASE_URL; calls go on without it."
        return Check(GROUP, "Database", "fail", f"no answer within {timeout_s:g} s", mend)
    finally:
        await database.close()
    return Check(GROUP, "Database", "ok", f"answers ({database.kind})")


async def _get(url: str, headers: Mapping[str, str], *, timeout_s: float) -> _Answer | _NoAnswer:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, headers=headers, allow_redirects=False) as response,
        ):
            body = await response.read()
            return _Answer(response.status, _object(body))
    except TimeoutError:
        return _NoAnswer(f"no answer within {timeout_s:g} s")
    except aiohttp.ClientConnectorDNSError:
        return _NoAnswer("its name cannot be resolved")
    except aiohttp.ClientConnectorCertificateError:
        return _NoAnswer("its certificate is not trusted")
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, ConnectionRefusedError)
        return _NoAnswer("nothing listens there" if refused else "cannot be reached")
    except (aiohttp.ClientError, OSError) as error:
        return _NoAnswer(f"the connection failed ({type(error).__name__})")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
