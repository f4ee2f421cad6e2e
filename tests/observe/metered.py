"""A call whose every step the metrics see, and what they say afterwards."""

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event, ModelReady
from app.call.phases import CallSettings
from app.observe.metrics import Metrics
from tests.call.virtual_line import VirtualLine
from tests.call.virtual_time import NO_AUDIO, Audio

MODEL = "gpt-realtime-2.1-2026-10-01"
"""A snapshot, as a vendor names what it serves."""


class Metered:
    """A call fed by hand."""

    def __init__(self, metrics: Metrics | None = None, settings: CallSettings | None = None):
        self.metrics = metrics or Metrics()
        self.call = Call(settings or CallSettings())

    def at(self, now_ms: int, *events: Event) -> list[Command]:
        done: list[Command] = []
        for event in events:
            commands = self.call.handle(event, now_ms)
            self.metrics.step(self.call, event, commands, now_ms)
            done += commands
        return done


class MeteredLine(VirtualLine):
    """A call in virtual time. Its sessions say that they are of a model that has a price."""

    metrics: Metrics

    def deliver(self, event: Event, audio: Audio = NO_AUDIO) -> list[Command]:
        if isinstance(event, ModelReady):
            event = replace(event, model=MODEL)
        commands = super().deliver(event, audio)
        self.metrics.step(self.call, event, commands, int(self.heap.now_ms))
        return commands


def metered_line(seed: int, metrics: Metrics | None = None) -> MeteredLine:
    line = MeteredLine(seed)
    line.metrics = metrics or Metrics()
    return line


def samples(metrics: Metrics, *, faulty: bool = False) -> dict[str, float]:
    """`name{label="value"}` -> value, from the text that Prometheus would read; zeros and the
    buckets of histograms left out, and the date of the prices, which no call changes.

    `faulty`: the metrics may have failed on the way."""
    assert faulty or not metrics.faults
    return {
        name: value
        for name, value in every_sample(metrics.render()[0]).items()
        if value and "_bucket" not in name and "prices_as_of" not in name
    }


def every_sample(text: bytes) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text.decode("utf-8")):
        for sample in family.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert name not in found
            found[name] = sample.value
    return found
