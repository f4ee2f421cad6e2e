"""STOP, START and HELP in what people write.

A keyword counts when it is the whole message, whatever its case, accents and punctuation, alone or
with a polite word. The English ones hold everywhere, those of other languages where the agent
speaks them: "alto" stops in Spanish and is a voice in Italian.
Source: Twilio docs, "Advanced Opt-Out" and "Support for opt-out keywords"; CTIA messaging
principles; 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel, unsubscribe.
"""

import unicodedata
from collections.abc import Collection, Mapping
from typing import Final, Literal, TypeAlias

Keyword: TypeAlias = Literal["stop", "start", "help"]

ANYWHERE: Final = "en"
STOP: Final[Mapping[str, str]] = {
    ANYWHERE: "stop stopall unsubscribe cancel end quit revoke optout",
    "de": "stopp abmelden abbestellen austragen beenden ende widerruf",
    "fr": "arret arreter arretez desabonner desinscrire annuler fin",
    "es": "alto parar pare baja cancelar detener fin",
    "it": "ferma fermare basta cancella cancellami annulla disiscrivi",
    "pt": "parar pare sair cancelar remover fim",
    "nl": "stoppen afmelden uitschrijven beeindigen einde",
    "pl": "rezygnuje wypisz koniec",
    "sv": "stopp avsluta avregistrera",
    "da": "stopp afmeld afslut",
}
"""By language, as `_bare` writes them."""
START: Final[Mapping[str, str]] = {
    ANYWHERE: "start unstop",
    "de": "anmelden",
    "fr": "commencer demarrer",
    "es": "iniciar comenzar",
    "it": "inizia avvia",
    "pt": "iniciar comecar",
    "nl": "starten aanmelden",
    "pl": "zacznij",
    "sv": "starta",
    "da": "tilmeld",
}
YES: Final[Mapping[str, str]] = {
    ANYWHERE: "yes",
    "de": "ja",
    "fr": "oui",
    "es": "si",
    "it": "si",
    "pt": "sim",
    "nl": "ja",
    "pl": "tak",
    "sv": "ja",
    "da": "ja",
}
"""They mean START to who has opted out, and an answer to who has not."""
HELP: Final[Mapping[str, str]] = {
    ANYWHERE: "help info",
    "de": "hilfe",
    "fr": "aide",
    "es": "ayuda",
    "it": "aiuto",
    "pt": "ajuda",
    "nl": "hulp",
    "pl": "pomoc",
    "sv": "hjalp",
    "da": "hjaelp",
}
_SENTENCES: Final = frozenset(
    {
        *("donottextme", "dontextme", "donttextme", "nomoretexts", "nomoremessages"),
        *("stoptexting", "stoptextingme", "stopmessaging", "stopmessagingme", "stopmessages"),
        *("stopwritingme", "stopallmessages", "unsubscribeme", "removeme", "optmeout"),
        *("takemeoff", "takemeoffthelist", "donotcontactme", "dontcontactme"),
        *("keinenachrichtenmehr", "plusdemessages", "nomasmensajes"),
    }
)
"""Other ways to say STOP, written together."""
_POLITE: Final = frozenset(
    {"please", "pls", "now", "bitte", "por", "favor", "svp", "merci", "grazie", "obrigado"}
)
_LETTERS: Final = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l"})


def keyword_of(body: str, languages: Collection[str] = (), *, opted_out: bool) -> Keyword | None:
    """What the message asks for as a whole; None: it is an ordinary one.

    `languages`: two letters each, those that the agent speaks; none: all that are known here.
    """
    words = _bare(body).split()
    said = [word for word in words if word not in _POLITE] or words
    text = "".join(said)
    if not text or len(said) > 6:
        return None
    known = {ANYWHERE, *(languages or STOP)}
    if text in _of(STOP, known) or text in _SENTENCES:
        return "stop"
    if text in _of(START, known) or (opted_out and text in _of(YES, known)):
        return "start"
    return "help" if text in _of(HELP, known) else None


def _of(table: Mapping[str, str], languages: Collection[str]) -> set[str]:
    return {word for language in languages for word in table.get(language, "").split()}


def _bare(text: str) -> str:
    """Small letters and digits without accents, one blank between words."""
    folded = unicodedata.normalize("NFKC", text[:200]).casefold().translate(_LETTERS)
    plain = unicodedata.normalize("NFD", folded).replace("'", "").replace("’", "")
    kept = (c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in kept).split())
