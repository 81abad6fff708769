"""Messages on a socket: one letter, a length, bytes."""

from __future__ import annotations

import socket
import struct
import time
from typing import NamedTuple

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


def receive_frame(end: socket.socket, most_bytes: int, deadline: float | None = None) -> Frame | None:
    """The next message; None when the other side has closed before it began.

    Args:
        end: Where to read.
        most_bytes: What a message may hold.
        deadline: A reading of `time.monotonic()`.

    Raises:
        TimeoutError: The deadline passed.
        FrameBroken: What came is no message.
    """
    header = _receive(end, HEADER.size, deadline)
    if not header:
        return None
    if len(header) < HEADER.size:
        raise FrameBroken
    kind, length = HEADER.unpack(header)
    if length > most_bytes:
        raise FrameBroken
    content = _receive(end, length, deadline)
    if len(content) < length:
        raise FrameBroken
    return Frame(kind, content)


def _receive(end: socket.socket, length: int, deadline: float | None) -> bytes:
    parts, missing = [], length
    while missing:
        if deadline is not None:
            end.settimeout(max(deadline - time.monotonic(), 1e-3))
        part = end.recv(min(missing, 2**20))
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
