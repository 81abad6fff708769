"""Every name in the session's state and in the address bar, once."""

from __future__ import annotations

from enum import StrEnum


class Key(StrEnum):
    """Entries of the session's state; those of widgets are what the widget shows."""

    CHOICES = "choices"
    LANGUAGE = "language"
    LANGUAGE_SWITCH = "language_switch"
    WRITTEN = "written_parameters"
    LINK_ERROR = "link_error"
    START = "start"
    STEP = "step"
    PAINTED = "painted"
    LAST_GOOD = "last_good_choices"
    DRAFT = "draft"
    EDITING = "editing"
    PICKER = "picker"
    SHARE = "share"
    SEARCH = "search"
    CATEGORY = "category"
    SHOWN_INPUT = "shown_input"
    PASSES = "passes"
    SECOND = "second"
    BETWEEN = "between"
    FORWARD = "forward"
    RETAIN_GRAPH = "retain_graph"
    CREATE_GRAPH = "create_graph"
    SEED = "seed"
    SEED_INDEX = "seed_index"
    SEED_VALUES = "seed_values"
    ARROWS = "arrows"
    SHOW_SAVED = "show_saved"
    SHOW_VALUES = "show_values"
    SHOW_SHAPES = "show_shapes"
    DRAWN = "drawn_part"
    SCOPE = "scope"
    SCOPE_CHOSEN = "chosen_scope"
    FOLLOWED = "followed_state"
    PREPARED = "prepared_playback"
    TENSOR = "tensor"
    VIEW = "view"
    ALL_TENSORS = "all_tensors"
    WHAT_IF = "what_if"
    WHAT_IF_ASKED = "what_if_asked"
    WHAT_IF_MENU = "what_if_menu"
    WHAT_IF_KIND = "what_if_kind"
    MISTAKE_ADDRESS = "mistake_address"
    MISTAKE_SEARCH = "mistake_search"
    MISTAKE_CATEGORY = "mistake_category"


class Parameter(StrEnum):
    """Query parameters beside those of the choices."""

    LANGUAGE = "lang"
    STEP = "step"
    MISTAKE = "m"
    WHAT_IF = "if"
