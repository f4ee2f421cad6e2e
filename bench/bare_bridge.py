"""The yardstick: the pass-through bridge that everyone writes first, and nothing more.

    python -m bench.bare_bridge --port 8000     (OPENAI_API_KEY, OPENAI_BASE_URL, PUBLIC_URL)

Starlette on uvicorn's `websockets-sansio`, uvloop, the `websockets` client, the json module. No
signatures, no tokens, no pacing, no marks, no interruptions, no record, no time limits.
"""

import argparse
import asyncio
import json
import os

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

MODEL_URL = os.environ["OPENAI_BASE_URL"].replace("http", "ws", 1) + "/realtime?model=gpt-realtime"
HEADERS = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
STREAM_URL = os.environ["PUBLIC_URL"].replace("http", "ws", 1) + "/twilio/media"
TWIML = f'<Response><Connect><Stream url="{STREAM_URL}"/></Connect></Response>'
SESSION_UPDATE = {
    "type": "session.update",
    "session": {
        "type": "realtime",
        "instructions": "You are a friendly receptionist.",
        "audio": {
            "input": {"format": {"type": "audio/pcmu"}, "turn_detection": {"type": "server_vad"}},
            "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
        },
    },
}


async def voice(_request: Request) -> Response:
    return Response(TWIML, media_type="text/xml")


async def model_to_caller(model: ClientConnection, caller: WebSocket, stream_sid: str) -> None:
    async for message in model:
        event = json.loads(message)
        if event["type"] == "response.output_audio.delta":
            media = {"payload": event["delta"]}
            frame = {"event": "media", "streamSid": stream_sid, "media": media}
            await caller.send_text(json.dumps(frame))


async def media(caller: WebSocket) -> None:
    await caller.accept()
    while (message := json.loads(await caller.receive_text()))["event"] != "start":
        pass
    async with connect(MODEL_URL, additional_headers=HEADERS) as model:
        await model.send(json.dumps(SESSION_UPDATE))
        answers = asyncio.create_task(model_to_caller(model, caller, message["streamSid"]))
        async for text in caller.iter_text():
            message = json.loads(text)
            if message["event"] == "media":
                audio = message["media"]["payload"]
                append = {"type": "input_audio_buffer.append", "audio": audio}
                await model.send(json.dumps(append))
            elif message["event"] == "stop":
                break
        answers.cancel()


app = Starlette(
    routes=[
        Route("/twilio/voice", voice, methods=["POST"]),
        WebSocketRoute("/twilio/media", media),
    ]
)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=parser.parse_args().port,
        ws="websockets-sansio",
        loop="uvloop",
        log_level="warning",
    )
