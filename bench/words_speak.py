"""Speaks sentences and writes down when each word began and ended: the truth for `bench.words`.

    python -m bench.words_speak

Needs flite (Debian package flite: its libraries) and the package espeakng-loader; writes
`words_spoken.json` beside this file. Nothing else needs them: the times are kept, not the sound.
Run it as a program only: espeak-ng is GPL and stays in a process of its own.
"""

import ctypes
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeAlias

import espeakng_loader

from bench.words_spoken import SPOKEN, units

FLITE_VOICES = ("slt", "rms", "awb")
"""Statistical voices: the lengths of their phones were learned from people."""

ENGLISH = (
    "Good morning, you have reached the front desk. How may I help you today?",
    "Of course.",
    "We are open Monday to Friday from 9:00 to 17:30, and on Saturday until noon.",
    "Your confirmation code is 4711. Let me repeat that: 4711.",
    "I have found two tables for you: one by the window at half past seven, and one in the garden "
    "at eight. Which one would you prefer?",
    "The total comes to $25.50, including tax. Would you like to pay by card or in cash?",
    "Unfortunately, the flight to Copenhagen has been delayed by 45 minutes because of strong "
    "winds. I am very sorry about that. I can rebook you on the next connection at no charge, or "
    "you can wait in the lounge.",
    "Yes, that's right.",
    "Please hold the line for a moment while I look that up.",
    "You can reach our support team at 555 0142, any day between 8 in the morning and 10 at night.",
    "Thank you for your patience. I have checked your account, and I can see that the last payment "
    "was received on 3 November. There is nothing left to pay at the moment. Is there anything "
    "else that I can do for you?",
    "To reset the router, press and hold the small button at the back for ten seconds, until all "
    "the lights go out. Then let go and wait about two minutes. When the green light stops "
    "blinking, the connection is ready.",
    "No problem at all! I'll move your appointment from Tuesday to Thursday.",
    "The pharmacy on Station Road is closed on Sundays, but there is another one near the "
    "university that stays open around the clock.",
    "I'm afraid I didn't catch that. Could you say your postcode once more, please?",
    "Our opening hours are from nine to five.",
    "This call may be recorded for training purposes. If you do not agree, please say so now.",
    "Your parcel with the number 8 3 0 2 9 9 is on its way and should arrive by tomorrow evening.",
    "We offer three plans. The basic plan costs 10 dollars a month, the family plan costs 24, and "
    "the business plan starts at 80. All of them can be cancelled at any time.",
    "Sure, let me check the weather for you. It will be mostly cloudy with some rain in the "
    "afternoon, and temperatures will reach about 14 degrees.",
    "Okay. And for how many people?",
    "According to our records, the warranty on your dishwasher expired in 2023. Nevertheless, the "
    "manufacturer sometimes grants an extension, particularly when a known defect is responsible.",
    "Take the second exit at the roundabout, follow the river for three kilometres, and you will "
    "see the hotel on your left, right behind the old bridge.",
    "I would be happy to connect you with a colleague from the billing department.",
    "Room 312 is on the third floor. Breakfast is served from 6:30 to 10:30 in the restaurant "
    "downstairs.",
    "If you are experiencing chest pain or difficulty breathing, please hang up and dial 911 "
    "immediately.",
    "Great choice. So that is one large pizza with mushrooms, one green salad without onions, and "
    "two bottles of sparkling water. Did I get everything right?",
    "The interest rate is 3.75 percent for the first five years. After that it is adjusted once a "
    "year.",
    "I understand how frustrating this must be. Let us see what we can do about it together.",
    "Goodbye, and have a wonderful day!",
)
OTHERS = {
    "de": (
        "Guten Tag, Sie sprechen mit der Zentrale. Wie kann ich Ihnen helfen?",
        "Wir haben montags bis freitags von 9 bis 18 Uhr geöffnet, samstags nur bis 13 Uhr.",
        "Leider hat Ihre Bestellung Verspätung. Die Lieferung kommt voraussichtlich am Donnerstag "
        "zwischen zehn und zwölf Uhr. Möchten Sie lieber einen anderen Termin vereinbaren?",
        "Die Krankenversicherungskarte brauchen wir nur einmal im Vierteljahr, danach genügt Ihr "
        "Geburtsdatum.",
    ),
    "fr": (
        "Bonjour, vous êtes bien au service des réservations. Que puis-je faire pour vous ?",
        "Votre commande est arrivée hier soir. Vous pouvez venir la chercher jusqu'à 19 heures, "
        "sauf le dimanche.",
    ),
    "es": (
        "Buenos días, le atiende el servicio de atención al cliente. ¿En qué puedo ayudarle?",
        "Su cita es el miércoles a las 16:30. Por favor, traiga su tarjeta y llegue diez minutos "
        "antes.",
    ),
    "cmn": (
        "您好，这里是预订中心，请问有什么可以帮您？",
        "我们今天营业到晚上九点。您要订几位的桌子？好的，请稍等，我帮您查一下。",
    ),
}

Times: TypeAlias = dict[tuple[int, int], list[int]]
"""By a word's place in its text, when it began and ended, in ms."""


class Flite:
    """One voice. Its words belong to tokens, and these stand in the text."""

    def __init__(self, voice: str) -> None:
        """Raises OSError where the libraries are missing."""
        self._flite = _library("libflite.so.1")
        _library("libflite_cmulex.so.1")
        _library("libflite_usenglish.so.1")
        register = getattr(_library(f"libflite_cmu_us_{voice}.so.1"), f"register_cmu_us_{voice}")
        register.restype = ctypes.c_void_p
        for name in (
            *("flite_synth_text", "utt_relation", "relation_head", "relation_tail"),
            *("item_next", "item_daughter"),
        ):
            getattr(self._flite, name).restype = ctypes.c_void_p
        self._flite.ffeature_string.restype = ctypes.c_char_p
        self._flite.ffeature_float.restype = ctypes.c_float
        self._flite.flite_init()
        self._voice = ctypes.c_void_p(register(None))

    def times(self, text: str) -> tuple[Times, int]:
        """The words' times, and the length of it all in ms."""
        utterance = self._pointer("flite_synth_text", text.encode(), self._voice)
        times: Times = {}
        spans, at = units(text), 0
        for token in self._items(self._pointer("relation_head", self._of(utterance, b"Token"))):
            name = self._flite.ffeature_string(token, b"name").decode()
            at = text.index(name, at) + len(name)
            span = next((span for span in spans if span[0] < at <= span[1]), None)
            for word in self._items(self._pointer("item_daughter", token)):
                began_ms = self._ms(word, b"R:SylStructure.daughter1.daughter1.R:Segment.p.end")
                ended_ms = self._ms(word, b"R:SylStructure.daughtern.daughtern.R:Segment.end")
                if span is not None and ended_ms:
                    times.setdefault(span, [began_ms, ended_ms])[1] = ended_ms
        end = self._pointer("relation_tail", self._of(utterance, b"Segment"))
        return times, self._ms(end, b"end")

    def _pointer(self, name: str, *arguments: object) -> ctypes.c_void_p:
        return ctypes.c_void_p(getattr(self._flite, name)(*arguments))

    def _of(self, utterance: ctypes.c_void_p, relation: bytes) -> ctypes.c_void_p:
        return self._pointer("utt_relation", utterance, relation)

    def _items(self, item: ctypes.c_void_p) -> Iterator[ctypes.c_void_p]:
        while item:
            yield item
            item = self._pointer("item_next", item)

    def _ms(self, item: ctypes.c_void_p, feature: bytes) -> int:
        return round(1000 * float(self._flite.ffeature_float(item, feature)))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("at_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


_WORD, _PHONE = 1, 7  # espeak_EVENT_TYPE
_SYNCHRONOUS, _PHONE_EVENTS, _DONT_EXIT, _UTF8 = 2, 0x0001, 0x8000, 1
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Espeak:
    """All its languages; one per process."""

    def __init__(self) -> None:
        self._espeak = _library(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._espeak.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT | _PHONE_EVENTS)
        self._seen: list[tuple[int, int, int, bytes]] = []
        self._callback = _Callback(self._see)
        self._espeak.espeak_SetSynthCallback(self._callback)

    def times(self, language: str, text: str) -> tuple[Times, int]:
        """The words' times, and the length of it all in ms."""
        self._seen.clear()
        self._espeak.espeak_SetVoiceByName(language.encode())
        utf8 = text.encode() + b"\0"
        size = ctypes.c_size_t(len(utf8))
        self._espeak.espeak_Synth(utf8, size, 0, 0, 0, _UTF8, None, None)
        times: Times = {}
        spans = units(text)
        span: tuple[int, int] | None = None
        for kind, position, at_ms, name in self._seen:
            if span is not None and (kind == _WORD or name.startswith(b"_")):
                times[span][1] = max(times[span][1], at_ms)
            if kind == _WORD:
                span = next(s for s in spans if s[0] < position <= s[1])
                times.setdefault(span, [at_ms, at_ms])
            elif name == b"_:":
                span = None
        return _halved(spans, times), self._seen[-1][2]

    def _see(self, samples: Any, n_samples: int, events: Any) -> int:
        for event in events:
            if not event.type:
                return 0
            name = event.name if event.type == _PHONE else b""
            self._seen.append((event.type, event.position, event.at_ms, name))
        return 0


def _halved(spans: list[tuple[int, int]], times: Times) -> Times:
    """A second character that was said in one with the first has the second half of its time."""
    for first, second in pairwise(spans):
        if second not in times:
            began_ms, ended_ms = times[first]
            middle_ms = (began_ms + ended_ms) // 2
            times[first], times[second] = [began_ms, middle_ms], [middle_ms, ended_ms]
    return times


def _library(name: str) -> Any:
    return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)


def _lines() -> Iterator[str]:
    for voice in FLITE_VOICES:
        flite = Flite(voice)
        for text in ENGLISH:
            yield _line(voice, text, *flite.times(text))
    espeak = Espeak()
    for language, texts in OTHERS.items():
        for text in texts:
            yield _line(language, text, *espeak.times(language, text))


def _line(voice: str, text: str, times: Times, total_ms: int) -> str:
    missing = [text[slice(*span)] for span in units(text) if span not in times]
    if missing:
        raise ValueError(f"{voice} did not say {missing} of: {text}")
    words = [[*span, *times[span]] for span in units(text)]
    said = {"voice": voice, "text": text, "total_ms": total_ms, "words": words}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    SPOKEN.write_text("[\n" + ",\n".join(_lines()) + "\n]\n", encoding="utf-8")
