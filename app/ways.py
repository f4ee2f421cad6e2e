"""What an agent's file says of people, menu, voicemail and ladder, as the ways of its calls."""

from collections.abc import Collection

from app.agents import Agent, AgentError
from app.agents.onward_tables import Option, Transfer
from app.onward.ways import BACK, VOICEMAIL, Choice, MenuOption, MenuWays, VoicemailWays, Way, Ways

_GO: dict[str, Choice] = {
    "voicemail": "voicemail",
    "sms": "sms",
    "agent": "agent",
    "hang_up": "hang_up",
}


def targets_of(agent: Agent) -> dict[str, str]:
    """Where each transfer leads, as the operator wrote it: for the policy."""
    return {key: transfer.to for key, transfer in agent.transfers.items()}


def ways_of(agent: Agent) -> Ways:
    """Raises `AgentError` for ways that lead nowhere."""
    transfers = {key: _way(agent, key, transfer) for key, transfer in agent.transfers.items()}
    _check_ends(agent)
    person = agent.ladder.person
    if person:
        _known(agent, "ladder.person", person, transfers)
    voicemail = agent.voicemail
    options = [_option(agent, number, option) for number, option in enumerate(agent.menu.options)]
    return Ways(
        transfers=transfers,
        rungs=tuple(dict.fromkeys(agent.ladder.rungs)),
        sorry=agent.ladder.words,
        person=person,
        menu=MenuWays(agent.menu.words, tuple(options), agent.menu.wait_s, agent.menu.tries),
        voicemail=None
        if voicemail is None
        else VoicemailWays(voicemail.words, voicemail.max_s, voicemail.thanks),
        text=_text(agent),
    )


def _text(agent: Agent) -> str:
    """Of the message that is the rung "sms". Only where the operator said what it is sent from."""
    sms = agent.sms
    if not (sms.from_number or sms.messaging_service):
        return ""
    return sms.first_message.replace("{link}", sms.link).strip()


def _way(agent: Agent, key: str, transfer: Transfer) -> Way:
    if transfer.otherwise not in (BACK, VOICEMAIL):
        _known(agent, f"transfers.{key}.otherwise", transfer.otherwise, agent.transfers)
    if transfer.otherwise == VOICEMAIL and agent.voicemail is None:
        raise AgentError(
            f"{agent.source}: transfers.{key}.otherwise: expected a table [voicemail] for "
            f'"voicemail", there is none.'
        )
    scheme = transfer.to.partition(":")[0].strip().lower()
    if transfer.how == "refer" and scheme not in ("sip", "sips"):
        raise AgentError(
            f'{agent.source}: transfers.{key}.to: expected "sip:user@host" for how = "refer".'
        )
    if transfer.how == "warm" and scheme == "queue":
        raise AgentError(
            f'{agent.source}: transfers.{key}.how: expected "cold" for a queue: nobody there can '
            "be told first."
        )
    _check_headers(agent, key, transfer, scheme)
    return Way(
        key=key,
        how=transfer.how,
        name=transfer.name or key.replace("-", " ").replace("_", " "),
        when=transfer.when,
        ring_s=transfer.ring_s,
        otherwise=transfer.otherwise,
        caller_id=transfer.caller_id,
        music=transfer.music,
        answer_headers=transfer.answer_headers,
        then=transfer.then,
    )


def _check_headers(agent: Agent, key: str, transfer: Transfer, scheme: str) -> None:
    place = f"{agent.source}: transfers.{key}"
    for name in ("headers", "answer_headers"):
        if getattr(transfer, name) and scheme not in ("sip", "sips"):
            raise AgentError(f'{place}.{name}: expected to = "sip:user@host": nobody else has any.')
    if transfer.then == "back" and transfer.how != "cold":
        raise AgentError(f'{place}.then: expected how = "cold" for "back", got "{transfer.how}".')


def _check_ends(agent: Agent) -> None:
    """Each transfer's `otherwise` leads to an end, not round in a circle."""
    for key in agent.transfers:
        behind = [key]
        while (then := agent.transfers[behind[-1]].otherwise) in agent.transfers:
            if then in behind:
                way = " -> ".join((*behind, then))
                raise AgentError(
                    f"{agent.source}: transfers.{key}.otherwise: expected a way that ends, got a "
                    f"circle: {way}."
                )
            behind.append(then)


def _option(agent: Agent, number: int, option: Option) -> MenuOption:
    place = f"menu.options[{number + 1}]"
    given = [one for one in (option.transfer, option.say, option.go) if one]
    if len(given) != 1:
        raise AgentError(
            f"{agent.source}: {place}: expected one of transfer, say and go, got {len(given)}."
        )
    keys = [other.key for other in agent.menu.options[:number]]
    if option.key in keys:
        raise AgentError(
            f"{agent.source}: {place}.key: expected a key that no other option has, got "
            f'"{option.key}".'
        )
    words = (option.label, *option.words)
    if option.transfer:
        _known(agent, f"{place}.transfer", option.transfer, agent.transfers)
        return MenuOption(option.key, option.label, words, "transfer", option.transfer)
    if option.say:
        return MenuOption(option.key, option.label, words, "say", option.say)
    if option.go == "voicemail" and agent.voicemail is None:
        raise AgentError(
            f"{agent.source}: {place}.go: expected a table [voicemail], there is none."
        )
    return MenuOption(option.key, option.label, words, _GO[option.go])


def _known(agent: Agent, place: str, key: str, there: Collection[str]) -> None:
    if key not in there:
        known = ", ".join(there) or "none"
        raise AgentError(
            f'{agent.source}: {place}: expected the name of a table [transfers.NAME], got "{key}"; '
            f"there are: {known}."
        )
