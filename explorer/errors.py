"""The exceptions of the explorer, one tree.

    ExplorerError
    ├── RecordingInvalid      a recording does not decode, or contradicts itself
    ├── ProgramInvalid        program text that cannot be read or rewritten as asked
    ├── LinkInvalid           a link that does not decode
    ├── GalleryInvalid        the gallery's index and programs do not fit together
    ├── MistakesInvalid       the same of the mistakes
    ├── ExpressionInvalid     a rule is written in more than its language allows
    ├── SessionUnfinished     a recording was asked for inside its own block
    ├── LayoutFailed          Graphviz could not lay out a graph
    └── WorkerUnavailable     no worker process could be had, or it broke the protocol

A student's bug is none of these: it is a value, `Failed` or `Rejected`, see `explorer.runner`.
"""


class ExplorerError(Exception):
    """What every exception of the explorer is.

    Args:
        key: The key in `explorer.i18n` of the sentence a user reads.
        values: What the sentence's placeholders stand for.
    """

    def __init__(self, key: str, **values: str | int | float) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{self.key} ({said})" if said else self.key


class RecordingInvalid(ExplorerError):
    """A recording does not decode, or refers to something it does not hold."""


class ProgramInvalid(ExplorerError):
    """Program text cannot be read, or cannot be rewritten as asked."""


class LinkInvalid(ExplorerError):
    """A link does not decode to choices."""


class LayoutFailed(ExplorerError):
    """Graphviz could not lay out a graph."""


class WorkerUnavailable(ExplorerError):
    """No worker process could be had, or it did not keep to the protocol."""
