"""The worker process of `SphinxEar`: one decoder, one search per grammar that it met."""

import re
import sys
from collections import OrderedDict

import msgspec
import numpy as np
import numpy.typing as npt
import pocketsphinx
import soxr

from app.lab.speech.ear import Hearing, Verdict
from app.lab.speech.faults import GrammarError
from app.lab.speech.fit import PAD_MS, Word, accepts, coverage, misfit
from app.lab.speech.worker import Handler, serve
from telecodecs import BYTES_PER_MS, ulaw_to_pcm

_MODEL_HZ = 16_000
_LINE_HZ = 8_000
_PAD_SAMPLES = PAD_MS * BYTES_PER_MS
_IMAGE_SHARE = 0.1
_MAX_SEARCHES = 64
_NOT_WORDS = re.compile(r"\{[^}]*\}|/[^/]*/|[()\[\]|*+]")


class Recogniser:
    def __init__(self) -> None:
        # bestpath would also return phrases that end in the middle of the grammar.
        self._decoder = pocketsphinx.Decoder(
            lm=None, samprate=_MODEL_HZ, bestpath=False, cmn="batch", loglevel="FATAL"
        )
        self._searches: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._searches_made = 0

    def judge(self, hearing: Hearing) -> Verdict:
        """Raises GrammarError when the phrases make no grammar."""
        self._decoder.activate_search(self._search(hearing.phrases))
        samples = widened(hearing.audio)
        # Else the last utterance's state would change this one's scores by a little.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(samples.tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        words = self._words() if found is not None else []
        if found is None or not words:
            return Verdict(None, "no phrase")
        score = misfit(words, coverage(words, samples))
        if accepts(score):
            return Verdict(found.hypstr, "fits", found.hypstr, score)
        return Verdict(None, "misfit", found.hypstr, score)

    def _words(self) -> list[Word]:
        words = []
        for segment in self._decoder.seg():
            phones = self._decoder.lookup_word(segment.word)
            if phones and segment.word[0] not in "<[":
                log_score = float(np.log(max(segment.ascore, sys.float_info.min)))
                words.append(
                    Word(
                        first_frame=segment.start_frame,
                        end_frame=segment.end_frame + 1,
                        n_phones=len(phones.split()),
                        log_score=log_score,
                    )
                )
        return words

    def _search(self, phrases: tuple[str, ...]) -> str:
        if phrases not in self._searches:
            self._refuse_unusable(phrases)
            self._searches_made += 1
            name = f"grammar{self._searches_made}"
            try:
                self._decoder.add_jsgf_string(name, _grammar(phrases))
            except (ValueError, RuntimeError):
                raise GrammarError(_not_jsgf(phrases)) from None
            self._searches[phrases] = name
            if len(self._searches) > _MAX_SEARCHES:
                self._decoder.remove_search(self._searches.popitem(last=False)[1])
        self._searches.move_to_end(phrases)
        return self._searches[phrases]

    def _refuse_unusable(self, phrases: tuple[str, ...]) -> None:
        if any(mark in phrase for phrase in phrases for mark in "<>;"):
            raise GrammarError(_not_jsgf(phrases))
        words = {word for phrase in phrases for word in _NOT_WORDS.sub(" ", phrase).split()}
        unknown = sorted(word for word in words if self._decoder.lookup_word(word) is None)
        if unknown:
            raise GrammarError(
                "these words of the grammar are not in the ear's dictionary of American English "
                f"(lower case, no digits): {', '.join(unknown)}"
            )


def widened(ulaw: bytes) -> npt.NDArray[np.int16]:
    """The 16 kHz samples that the wideband model hears: resampled, with a faint mirror image.

    The telephone has nothing above 4 kHz, where the model looks for the hiss of s, f and th. The
    image that a resampler normally removes follows that hiss: a tenth of it lets more through.
    """
    pcm = np.frombuffer(ulaw_to_pcm(ulaw), dtype="<i2").astype(np.float32)
    silence = np.zeros(_PAD_SAMPLES, dtype=np.float32)
    line = np.concatenate((silence, pcm, silence))
    clean = soxr.resample(line, _LINE_HZ, _MODEL_HZ)
    imaged = np.zeros(2 * len(line), dtype=np.float32)
    imaged[::2] = 2 * line
    n = min(len(clean), len(imaged))
    wide = (1 - _IMAGE_SHARE) * clean[:n] + _IMAGE_SHARE * imaged[:n]
    samples: npt.NDArray[np.int16] = np.clip(wide, -32768, 32767).astype(np.int16)
    return samples


def _grammar(phrases: tuple[str, ...]) -> str:
    return (
        "#JSGF V1.0; grammar said; public <said> = "
        + " | ".join(f"({phrase})" for phrase in phrases)
        + ";"
    )


def _not_jsgf(phrases: tuple[str, ...]) -> str:
    return (
        "the hints must be right-hand sides of JSGF rules, such as 'yes [please] | no', "
        f"without references to other rules; got: {list(phrases)!r}"
    )


def _handler() -> Handler:
    recogniser = Recogniser()

    def judge(question: bytes) -> bytes:
        hearing = msgspec.msgpack.decode(question, type=Hearing)
        return msgspec.msgpack.encode(recogniser.judge(hearing))

    return judge


if __name__ == "__main__":
    sys.exit(serve(_handler))
