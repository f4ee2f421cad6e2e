"""What difficult callers do, as steps of a script; the seed decides which clip and how.

    Script((
        WaitForBot.finished(),
        hesitate(seed=7),
        cough(after_ms=900, seed=7),
        WaitForBot.finished(),
        *hold_on(seed=7, silence_ms=15_000),
        HangUp(),
    ))

Sounds that do not take the floor are softer than speech, as they are on the telephone. Pass a
`voice` ("slt", "rms", "awb") to keep one caller one person; some clips exist in two voices only.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from app.lab.phone.said import UtteranceKind
from app.lab.phone.script import Interrupt, Piece, Say, SayPieces, Step, Wait
from app.lab.phone.sound import amplified
from app.lab.speech.voices import Clip, ClipKind, clip_names, voice_clip
from telecodecs.g711 import BYTES_PER_MS

PHRASES_THAT_INTERRUPT = ("sorry_book", "wait_stop", "stop_please", "no")
"""Phrases of the restaurant dialog with which callers cut in too."""

SENTENCES = (
    ("would_like_to", "book_a_table"),
    ("would_like_to", "um", "book_a_table", "for_four_people"),
    ("can_i", "uh", "book_a_table"),
    ("was_wondering", "if_you_are_open"),
    ("was_wondering", "um", "if_you_are_open"),
    ("do_you_have", "anything_at_seven"),
    ("do_you_have", "uh", "anything_at_seven", "for_four_people"),
    ("we_would_be", "six_people"),
    ("um", "we_would_be", "six_people"),
)
"""Clips "part_..." that make a sentence, with a pause between each and the next."""
PARTS_VOICES = ("slt", "rms")
EDGE_MS = 40
"""What stays around a part's sound: faint beginnings and ends of words."""


def interrupting_clips(voice: str | None = None) -> list[str]:
    """Names of all clips with which a caller takes the floor."""
    phrases = [name for name in clip_names("phrase") if _stem(name) in PHRASES_THAT_INTERRUPT]
    return _in_voice(phrases + clip_names("interruption"), voice)


def talk_over(
    seed: int, between_ms: tuple[int, int] = (300, 3_000), voice: str | None = None
) -> Interrupt:
    """Take the floor at a point of the bot's answer that the seed decides."""
    clip = _picked(interrupting_clips(voice), f"{seed}/talk_over")
    return Interrupt.somewhere(clip.ulaw, between_ms, seed, clip.text)


def cough(after_ms: int, seed: int) -> Interrupt:
    """Cough or clear one's throat while the bot speaks."""
    return _beside("cough", after_ms, seed, None, (-9.0, 0.0), "cough")


def breath(after_ms: int, seed: int) -> Interrupt:
    """Sigh into the mouthpiece while the bot speaks."""
    return _beside("breath", after_ms, seed, None, (-16.0, -6.0), "breath")


def backchannel(after_ms: int, seed: int, voice: str | None = None) -> Interrupt:
    """Go along with what the bot says: "mm-hm", "yeah", "okay". A hum suits every voice."""
    return _beside("backchannel", after_ms, seed, voice, (-9.0, -3.0), "backchannel")


def hesitate(
    seed: int, pause_ms: tuple[int, int] = (400, 1_500), voice: str | None = None
) -> SayPieces:
    """A sentence with pauses inside, some of them filled with "um"."""
    chance = Random(f"{seed}/hesitate")
    parts = chance.choice(SENTENCES)
    speaker = _speaker(voice, chance)
    clips = [voice_clip(f"part_{part}_{speaker}") for part in parts]
    return SayPieces(_with_pauses(clips, chance, pause_ms), "hesitation")


def spell(
    digits: str, seed: int, pause_ms: tuple[int, int] = (150, 600), voice: str | None = None
) -> SayPieces:
    """Say a number digit by digit: "my number is ... five ... five". Raises ValueError for
    anything but digits, and for none."""
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"expected digits from 0 to 9 to spell, got {len(digits)} characters")
    chance = Random(f"{seed}/spell")
    speaker = _speaker(voice, chance)
    names = ("part_my_number_is", *(f"digit_{digit}" for digit in digits))
    clips = [voice_clip(f"{name}_{speaker}") for name in names]
    return SayPieces(_with_pauses(clips, chance, pause_ms), "spelling")


def hold_on(seed: int, silence_ms: int = 20_000, voice: str | None = None) -> tuple[Step, ...]:
    """Ask the bot to wait, then be away; the line carries what it carries while nobody speaks."""
    clip = _picked(_in_voice(clip_names("hold"), voice), f"{seed}/hold")
    return Say(clip.ulaw, clip.text, "hold"), Wait(silence_ms)


def _beside(
    clips: ClipKind,
    after_ms: int,
    seed: int,
    voice: str | None,
    gain_db: tuple[float, float],
    kind: UtteranceKind,
) -> Interrupt:
    chance = Random(f"{seed}/{kind}")
    clip = voice_clip(chance.choice(_in_voice(clip_names(clips), voice, "synthetic")))
    audio = amplified(clip.ulaw, chance.uniform(*gain_db))
    return Interrupt(audio, after_ms, clip.text, kind=kind)


def _with_pauses(
    clips: Sequence[Clip], chance: Random, pause_ms: tuple[int, int]
) -> tuple[Piece, ...]:
    """Pauses are from sound to sound, so clips are cut to their sound and a little around it."""
    first_ms, last_ms = pause_ms
    if not 2 * EDGE_MS <= first_ms <= last_ms:
        raise ValueError(
            f"pause_ms is (least, most) with {2 * EDGE_MS} <= least <= most, got {pause_ms}"
        )
    pieces = [
        Piece(_cut(clip), clip.text, chance.randint(first_ms, last_ms) - 2 * EDGE_MS)
        for clip in clips
    ]
    return (*pieces[:-1], replace(pieces[-1], pause_ms=0))


def _cut(clip: Clip) -> bytes:
    begin, end = int(clip.onset_ms) - EDGE_MS, int(clip.end_ms) + 1 + EDGE_MS
    return clip.ulaw[begin * BYTES_PER_MS : end * BYTES_PER_MS]


def _speaker(voice: str | None, chance: Random) -> str:
    """Who says parts of sentences."""
    if voice is None:
        return chance.choice(PARTS_VOICES)
    if voice not in PARTS_VOICES:
        raise ValueError(f"expected one of the voices {', '.join(PARTS_VOICES)}, got {voice!r}")
    return voice


def _picked(names: Sequence[str], seed: str) -> Clip:
    return voice_clip(Random(seed).choice(names))


def _in_voice(names: Sequence[str], voice: str | None, *also: str) -> list[str]:
    """Raises ValueError when nobody with this voice has such a clip."""
    fitting = [name for name in names if voice in (None, v := voice_clip(name).voice) or v in also]
    if not fitting:
        voices = sorted({voice_clip(name).voice for name in names})
        raise ValueError(f"expected one of the voices {', '.join(voices)}, got {voice!r}")
    return fitting


def _stem(name: str) -> str:
    return name.rpartition("_")[0]
