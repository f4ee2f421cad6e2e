"""Telephone audio: G.711, resampling, DTMF, levels, WAV. Bytes in, bytes out."""

from telecodecs.beeps import Beep, BeepDetector
from telecodecs.dtmf import DtmfDetector, DtmfKey, dtmf_tone
from telecodecs.g711 import (
    ALAW_SILENCE,
    BYTES_PER_MS,
    FRAME_BYTES,
    FRAME_MS,
    SAMPLE_RATE_HZ,
    ULAW_SILENCE,
    alaw_to_pcm,
    alaw_to_ulaw,
    pcm_to_alaw,
    pcm_to_ulaw,
    ulaw_to_alaw,
    ulaw_to_pcm,
)
from telecodecs.key_tones import KeyToneGate
from telecodecs.levels import (
    SILENCE_DBFS,
    pcm_dbfs,
    pcm_peak,
    pcm_rms,
    ulaw_dbfs,
    ulaw_peak,
    ulaw_rms,
)
from telecodecs.resample import Resampler
from telecodecs.wav import WavError, load_as_ulaw, read_wav
from telecodecs.wav_writer import MonoWavWriter, StereoWavWriter, WavEncoding

__all__ = [
    "ALAW_SILENCE",
    "BYTES_PER_MS",
    "FRAME_BYTES",
    "FRAME_MS",
    "SAMPLE_RATE_HZ",
    "SILENCE_DBFS",
    "ULAW_SILENCE",
    "Beep",
    "BeepDetector",
    "DtmfDetector",
    "DtmfKey",
    "KeyToneGate",
    "MonoWavWriter",
    "Resampler",
    "StereoWavWriter",
    "WavEncoding",
    "WavError",
    "alaw_to_pcm",
    "alaw_to_ulaw",
    "dtmf_tone",
    "load_as_ulaw",
    "pcm_dbfs",
    "pcm_peak",
    "pcm_rms",
    "pcm_to_alaw",
    "pcm_to_ulaw",
    "read_wav",
    "ulaw_dbfs",
    "ulaw_peak",
    "ulaw_rms",
    "ulaw_to_alaw",
    "ulaw_to_pcm",
]
