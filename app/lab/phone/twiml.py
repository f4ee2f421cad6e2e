"""TwiML read as Twilio reads it: a document becomes verbs, or the error that Twilio reports.

Names are case sensitive. Verbs that Twilio knows and this telephone does not perform are let
through here, so that a correct document is never called wrong.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

DOCUMENT_LIMIT_BYTES = 64 * 1024
DOCUMENT_PARSE_FAILURE = 12100
CONTENT_TYPE_FAILURE = 12300
PARAMETER_LIMIT_CHARS = 500

XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


class TwimlError(ValueError):
    """The bot's fault: TwiML that cannot be followed; `code` is the error that Twilio reports."""

    def __init__(self, detail: str, code: int = DOCUMENT_PARSE_FAILURE) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Verb:
    """One element of the document: a verb, or a noun inside it."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple["Verb", ...]

    def get(self, attribute: str, default: str = "") -> str:
        return self.attributes.get(attribute, default)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AMD = (
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold "
    "machineDetectionSpeechEndThreshold machineDetectionSilenceTimeout amdStatusCallback "
    "amdStatusCallbackMethod "
)
_STATUS = "statusCallback statusCallbackMethod statusCallbackEvent "
_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent "

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "Response": frozenset(),
    "Connect": _names("action method"),
    "Stream": _names("name url track statusCallback statusCallbackMethod"),
    "Parameter": _names("name value"),
    "Say": _names("voice language loop"),
    "Play": _names("loop digits"),
    "Pause": _names("length"),
    "Gather": _names(
        "input action method timeout numDigits finishOnKey speechTimeout maxSpeechTime language "
        "hints profanityFilter bargeIn actionOnEmptyResult speechModel enhanced debug "
        "partialResultCallback partialResultCallbackMethod"
    ),
    "Redirect": _names("method"),
    "Dial": _names(
        "action method timeout timeLimit callerId answerOnBridge hangupOnStar record trim ringTone "
        "recordingTrack sequential referUrl referMethod callReason events " + _RECORDING
    ),
    "Number": _names("sendDigits url method byoc phoneNumberSid " + _STATUS + _AMD),
    "Sip": _names("username password url method " + _STATUS + _AMD),
    "Client": _names("url method " + _STATUS),
    "Identity": frozenset(),
    "Conference": _names(
        "startConferenceOnEnter endConferenceOnExit muted beep waitUrl waitMethod maxParticipants "
        "record coach participantLabel region jitterBufferSize trim eventCallbackUrl "
        + _STATUS
        + _RECORDING
    ),
    "Queue": _names("url method reservationSid postWorkActivitySid"),
    "Hangup": frozenset(),
    "Reject": _names("reason"),
    "Leave": frozenset(),
    "Echo": frozenset(),
    "Record": _names(
        "action method timeout finishOnKey maxLength playBeep trim transcribe transcribeCallback "
        "recordingTrack " + _RECORDING
    ),
    "Refer": _names("action method"),
    "Enqueue": _names("action method maxQueueSize waitUrl waitUrlMethod workflowSid"),
    "Start": _names("action method"),
    "Recording": _names("track channels trim " + _RECORDING),
    "Message": _names("to from action method statusCallback"),
    "Body": frozenset(),
    "Media": frozenset(),
}
"""What is checked. An element without a row here may carry any attribute."""

_SSML = "break emphasis lang p phoneme prosody s say-as sub w"
CHILDREN: Mapping[str, frozenset[str]] = {
    "Response": _names(
        "Connect Dial Echo Enqueue Gather Hangup Leave Pause Pay Play Prompt Queue Record Redirect "
        "Refer Reject Say Siprec Sms Start Stop"
    ),
    "Connect": _names(
        "Stream ConversationRelay ConversationRelaySession Room VirtualAgent Conversation "
        "AiSession Assistant Autopilot"
    ),
    "Stream": _names("Parameter"),
    "Parameter": frozenset(),
    "Say": _names(_SSML),
    "Play": frozenset(),
    "Pause": frozenset(),
    "Gather": _names("Say Play Pause"),
    "Redirect": frozenset(),
    "Dial": _names("Number Sip Client Conference Queue Sim Application WhatsApp"),
    "Client": _names("Identity Parameter"),
    "Sip": _names("Uri"),
    "Hangup": frozenset(),
    "Reject": _names("Parameter"),
    "Leave": frozenset(),
    "Echo": frozenset(),
    "Record": frozenset(),
    "Refer": _names("Sip ReferSip"),
    "Enqueue": _names("Task"),
    "Start": _names("Stream Siprec Transcription Recording"),
    "Recording": frozenset(),
    "Message": _names("Body Media"),
    "Body": frozenset(),
    "Media": frozenset(),
}

PERFORMED = _names(
    "Connect Say Play Pause Gather Redirect Dial Hangup Reject Record Start Refer Enqueue Leave"
)
"""The verbs that this telephone carries out."""
MESSAGING = _names("Message Redirect")
"""The verbs of an answer to a text message."""


def read_twiml(
    body: bytes | str,
    content_type: str = "text/xml",
    verbs: frozenset[str] = CHILDREN["Response"],
) -> tuple[Verb, ...]:
    """The verbs of a document, in order; none for an empty answer, which hangs up.

    Raises TwimlError.
    """
    data = body.encode() if isinstance(body, str) else body
    if not data.strip():
        return ()
    if content_type not in XML_TYPES:
        raise TwimlError(
            f"expected Content-Type text/xml or application/xml, got {content_type!r}",
            CONTENT_TYPE_FAILURE,
        )
    if len(data) > DOCUMENT_LIMIT_BYTES:
        raise TwimlError(f"expected at most 64 KB of TwiML, got {len(data)} bytes")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, LookupError, ValueError) as error:
        raise TwimlError(f"expected well-formed XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(f"expected the root element <Response>, got <{root.tag}>")
    return _read(root, {**CHILDREN, "Response": verbs}).children


def _read(element: ET.Element, nesting: Mapping[str, frozenset[str]]) -> Verb:
    name = str(element.tag)
    allowed = ATTRIBUTES.get(name)
    for attribute in element.attrib:
        if allowed is not None and attribute not in allowed:
            raise TwimlError(f"<{name}> has no attribute {attribute!r}")
    return Verb(name, dict(element.attrib), _text(element), tuple(_children(element, nesting)))


def _children(element: ET.Element, nesting: Mapping[str, frozenset[str]]) -> Iterator[Verb]:
    name = str(element.tag)
    allowed = nesting.get(name)
    for child in element:
        if not isinstance(child.tag, str):
            continue  # a comment or a processing instruction
        if allowed is not None and child.tag not in allowed:
            raise TwimlError(f"<{name}> cannot hold <{child.tag}>; names are case sensitive")
        yield _read(child, nesting)


def _text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def stream_parameters(stream: Verb) -> dict[str, str]:
    """The custom parameters of <Stream>. Raises TwimlError beyond 500 characters."""
    parameters: dict[str, str] = {}
    for child in stream.children:
        name, value = child.get("name"), child.get("value")
        if not name:
            raise TwimlError("<Parameter> needs a name")
        if len(name) + len(value) >= PARAMETER_LIMIT_CHARS:
            raise TwimlError(
                f"<Parameter> name and value must stay below 500 characters together, "
                f"got {len(name) + len(value)}"
            )
        parameters[name] = value
    return parameters
