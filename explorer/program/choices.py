"""What a user has chosen, and the program text that it stands for."""

from __future__ import annotations

from explorer.i18n import Language
from explorer.model.values import Frozen
from explorer.program.toggles import Toggles, apply_toggles


class Choices(Frozen, frozen=True, kw_only=True):
    """Everything that decides which program runs.

    Args:
        function: Id of a gallery function; None for the gallery's first, or for the user's own program.
        text: The program before its toggles, where it differs from the gallery's; None where it does not.
        toggles: What is written into it.
    """

    function: str | None = None
    text: str | None = None
    toggles: Toggles = Toggles()


def program_text(base_text: str, choices: Choices, language: Language = "en") -> str:
    """The program that is on the screen and runs.

    Args:
        base_text: The gallery's text of `choices.function`.
        choices: The user's choices.
        language: Of the comments that toggles write.

    Raises:
        ProgramInvalid: The toggles cannot be written into this program.
    """
    return apply_toggles(base_text if choices.text is None else choices.text, choices.toggles, language)
