"""Telephone audio: G.711, resampling, DTMF, levels, WAV. Bytes in, bytes out."""
