"""Whose webhooks are told of an agent's calls, and whether they can be signed."""

from typing import Final

from app.agents import Agent, AgentError
from app.agents.after_table import AfterCall
from app.outgoing.endpoints import ALL_EVENTS, OPERATORS_SECRET, Endpoint, SecretsOf, Targets
from app.outgoing.signing import SecretError

NO_TABLE: Final = AfterCall(summary=False)


def targets_of(table: AfterCall | None, operators_url: str) -> Targets:
    """`operators_url`: is told everything of every agent; "": nobody is."""
    table = table or NO_TABLE
    return Targets(
        tuple(Endpoint(url, table.secret_env) for url in table.webhook),
        frozenset(table.events) or ALL_EVENTS,
        (Endpoint(operators_url, OPERATORS_SECRET),) if operators_url else (),
        numbers="numbers" in table.include,
    )


def check_webhooks(agent: Agent, secrets_of: SecretsOf) -> None:
    """Raises `AgentError` when the agent's webhooks could not be signed."""
    table = agent.after_call
    if table is None or not table.webhook:
        return
    try:
        secrets_of(table.secret_env)
    except SecretError as error:
        raise AgentError(
            f"{agent.source}: after_call: expected the webhook's secret in the environment "
            f"variable {table.secret_env}: {error}. `earshot webhooks secret` makes one."
        ) from None
