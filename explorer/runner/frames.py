"""Messages on a socket: one letter, a length, bytes."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from explorer.runner.patience import Patience

HEADER = struct.Struct("!cQ")

JOB, STARTED, ANSWER, DIED = b"J", b"S", b"A", b"D"
"""What is wanted; a worker begins; its answer; its end, as its parent saw it."""


class Frame(NamedTuple):
    """One message."""

    kind: bytes
    content: bytes


class FrameBroken(Exception):
    """What came is no message: too long, or cut off."""


def send_frame(end: socket.socket, kind: bytes, content: bytes = b"") -> None:
    """Sends a message."""
    end.sendall(HEADER.pack(kind, len(content)) + content)


def receive_frame(end: socket.socket, most_bytes: int, patience: Patience | None = None) -> Frame | None:
    """The next message; None when the other side has closed before it began.

    Args:
        end: Where to read.
        most_bytes: What a message may hold.
        patience: How long to wait, and for whom; None to wait as the socket does.

    Raises:
        TimeoutError: The time is up.
        NobodyWaits: The message is not wanted any more.
        FrameBroken: What came is no message.
    """
    header = _receive(end, HEADER.size, patience)
    if not header:
        return None
    if len(header) < HEADER.size:
        raise FrameBroken
    kind, length = HEADER.unpack(header)
    if length > most_bytes:
        raise FrameBroken
    content = _receive(end, length, patience)
    if len(content) < length:
        raise FrameBroken
    return Frame(kind, content)


def _receive(end: socket.socket, length: int, patience: Patience | None) -> bytes:
    parts, missing = [], length
    while missing:
        part = end.recv(min(missing, 2**20)) if patience is None else _receive_part(end, missing, patience)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _receive_part(end: socket.socket, length: int, patience: Patience) -> bytes:
    while True:
        end.settimeout(patience.turn_seconds)
        try:
            return end.recv(min(length, 2**20))
        except TimeoutError:
            patience.check()
