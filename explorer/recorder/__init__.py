"""torch → Recording. The only place that imports torch."""

from explorer.recorder.limits import RecordingLimits
from explorer.recorder.session import Session, SessionUnfinished, record

__all__ = ["RecordingLimits", "Session", "SessionUnfinished", "record"]
