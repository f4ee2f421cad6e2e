"""The bare bridge again with picows on both sides: what a faster WebSocket layer alone would give.

    python -m bench.picows_bridge --port 8000   (OPENAI_API_KEY, OPENAI_BASE_URL, PUBLIC_URL)

Everything but the WebSocket layer is as in `bench.bare_bridge`: uvloop, the json module, no
features. picows answers upgrades only, so a few lines of asyncio hand out the TwiML.
"""

import argparse
import asyncio
import json

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

from bench.bare_bridge import HEADERS, MODEL_URL, SESSION_UPDATE


class CallerSide(WSListener):
    """Twilio's socket of one call."""

    def __init__(self) -> None:
        self.caller: WSTransport | None = None
        self.stream_sid = ""
        self._model: WSTransport | None = None
        self._early: list[str] = []
        """Caller audio that came before the model's socket was open."""
        self._opening: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.caller = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_utf8_text())
        if message["event"] == "media":
            append = {
                "type": "input_audio_buffer.append",
                "audio": message["media"]["payload"],
            }
            self._to_model(json.dumps(append))
        elif message["event"] == "start":
            self.stream_sid = message["streamSid"]
            self._opening = asyncio.create_task(self._open_model())
        elif message["event"] == "stop":
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._model is not None:
            self._model.disconnect()

    def _to_model(self, text: str) -> None:
        if self._model is None:
            self._early.append(text)
        else:
            self._model.send(WSMsgType.TEXT, text)

    async def _open_model(self) -> None:
        model, _ = await ws_connect(lambda: ModelSide(self), MODEL_URL, extra_headers=HEADERS)
        model.send(WSMsgType.TEXT, json.dumps(SESSION_UPDATE))
        for text in self._early:
            model.send(WSMsgType.TEXT, text)
        self._model = model


class ModelSide(WSListener):
    """The model's socket of one call."""

    def __init__(self, call: CallerSide) -> None:
        self._call = call

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        event = json.loads(frame.get_payload_as_utf8_text())
        if event["type"] == "response.output_audio.delta" and self._call.caller is not None:
            media = {"payload": event["delta"]}
            message = {"event": "media", "streamSid": self._call.stream_sid, "media": media}
            self._call.caller.send(WSMsgType.TEXT, json.dumps(message))


async def voice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, twiml: bytes) -> None:
    await reader.readuntil(b"\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n"
    writer.write(head + b"Content-Length: %d\r\n\r\n" % len(twiml) + twiml)
    await writer.drain()
    writer.close()


async def run(port: int) -> None:
    listener = await ws_create_server(lambda _: CallerSide(), "127.0.0.1", 0)
    media_port = listener.sockets[0].getsockname()[1]
    url = f"ws://127.0.0.1:{media_port}/twilio/media"
    twiml = f'<Response><Connect><Stream url="{url}"/></Connect></Response>'.encode()
    server = await asyncio.start_server(lambda r, w: voice(r, w, twiml), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(run(parser.parse_args().port))
