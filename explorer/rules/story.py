"""What sentences are made of: names, sub-expressions, numbers and lists, in one language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from explorer.i18n import Language, text
from explorer.model import Leaf, Node, NodeRan, Recording, Span, TensorValue
from explorer.model.source import piece_at
from explorer.model.syntax import parsed_expression
from explorer.model.text import short_text
from explorer.rules.gradients import Change, addends, changed_on_the_way

MOST_CHARACTERS = 48
"""Longer sub-expressions and tensors are shortened: a sentence is read in one glance."""

MOST_NAMES = 4
"""Of a longer list only the first names are said."""

IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
BETWEEN_IDEOGRAPHS = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")

UNNAMED = ("a_leaf", "a_tensor", "no_gradient")
"""Phrases that stand where a name or a number is not known."""


class Story:
    """A recording, told in one language.

    Args:
        recording: What happened.
        language: In which language to tell it.
    """

    def __init__(self, recording: Recording, language: Language) -> None:
        self.recording = recording
        self.language = language
        self._times_used = Counter(node.name for node in recording.nodes)
        self._tensors: dict[int, tuple[TensorValue, str]] = {}
        self._addends: dict[tuple[int, str], tuple[TensorValue, ...]] = {}
        self._changes: dict[tuple[int, str], Change | None] = {}
        self._tracked = {node.id for node in recording.nodes} | {
            leaf.id for leaf in recording.leaves if leaf.requires_grad or leaf.node_id is not None
        }
        self._leaf_by_node = {leaf.node_id: leaf for leaf in recording.leaves if leaf.node_id is not None}

    def say(self, key: str, **values: object) -> str:
        """A sentence or phrase of `rules.toml`."""
        return text(f"rules.{key}", self.language, **values)

    def tensor(self, value: TensorValue | None) -> str:
        """A tensor on a few characters; "None" where there is none."""
        if value is None:
            return "None"
        # Most tensors are said several times. The tensor is kept with its text, so that its id stays its own.
        if id(value) not in self._tensors:
            self._tensors[id(value)] = value, short_text(value, MOST_CHARACTERS)
        return self._tensors[id(value)][1]

    def tensors(self, values: Iterable[TensorValue | None]) -> str:
        """Several tensors as a list."""
        return self.listing([self.tensor(value) for value in values])

    def node(self, node_id: str) -> str:
        """A node's name, and what it belongs to where several have that name; a leaf's name for AccumulateGrad."""
        node = self.recording.node(node_id)
        if node.kind == "accumulate":
            return self.leaf_of(node)
        if self._times_used[node.name] == 1:
            return node.name
        code = node.variable or expression(self.recording, node.span, MOST_CHARACTERS // 2)
        return self.say("phrase.node_of", node=node.name, code=code) if code else node.name

    def result(self, node_id: str, output_nr: int) -> str:
        """What the program calls a tensor that a node made, or the expression for it."""
        node = self.recording.node(node_id)
        # One of several nodes that a call notes is none that the text stands for.
        is_seen = node.value is not None and node.results == 1
        code = expression(self.recording, node.span, MOST_CHARACTERS // 2) if is_seen else None
        return node.variable_of(output_nr) or code or self.say("phrase.a_tensor")

    def nodes(self, node_ids: Iterable[str]) -> str:
        """The plain names of several nodes as a list."""
        return self.listing([self.recording.node(node_id).name for node_id in node_ids])

    def leaf_of(self, node: Node) -> str:
        """The name of the leaf that an AccumulateGrad node fills."""
        leaf: Leaf | None = self._leaf_by_node.get(node.id)
        return (leaf.name if leaf else node.variable) or self.say("phrase.a_leaf")

    def leaf(self, leaf_id: str) -> str:
        """A leaf's name."""
        return self.recording.leaf(leaf_id).name

    def may_be_tracked(self, part_id: str) -> bool:
        """Whether torch may have followed a leaf or a node's result: a cut it never follows."""
        return part_id in self._tracked

    def addends(self, ran: NodeRan) -> tuple[TensorValue, ...]:
        """The gradients that torch added up for a node, looked for once."""
        key = ran.backward_pass, ran.node_id
        if key not in self._addends:
            self._addends[key] = addends(self.recording, ran)
        return self._addends[key]

    def change(self, ran: NodeRan) -> Change | None:
        """What the program changed on its way to a node, looked for once."""
        key = ran.backward_pass, ran.node_id
        if key not in self._changes:
            self._changes[key] = changed_on_the_way(self.recording, ran)
        return self._changes[key]

    def listing(self, parts: Sequence[str]) -> str:
        """ "a, b and c"."""
        return self._enumeration("list", parts)

    def few(self, names: Sequence[str]) -> str:
        """Names as a list; of many, the first ones and how many there are."""
        if len(names) <= MOST_NAMES:
            return self.listing(names)
        first = self.say("phrase.list_comma").join(names[: MOST_NAMES - 1])
        return self.say("phrase.list_more", first=first, more=len(names) - MOST_NAMES + 1)

    def clauses(self, parts: Sequence[str]) -> str:
        """ "sends a to b, c to d and e to f"."""
        return self._enumeration("clauses", parts)

    def _enumeration(self, kind: str, parts: Sequence[str]) -> str:
        if len(parts) < 2:
            return "".join(parts)
        first = self.say(f"phrase.{kind}_comma").join(parts[:-1])
        return self.say(f"phrase.{kind}_last", first=first, last=parts[-1])

    def spaced(self, phrase: str) -> str:
        """With a space before it; a language without spaces between words has one only around names."""
        tidy = BETWEEN_IDEOGRAPHS.sub("", phrase)
        return tidy if IDEOGRAPH.match(tidy) else f" {tidy}"

    def join(self, sentences: Iterable[str]) -> str:
        """Sentences in a row; a number that ends one ("10.") lends it its full stop."""
        stop, space = self.say("phrase.full_stop"), self.say("phrase.two_sentences", first="", second="")
        joined = space.join(
            sentence[: -len(stop) - 1] + stop if sentence.endswith(f".{stop}") else sentence for sentence in sentences
        )
        for word in [] if space else [self.say(f"phrase.{key}") for key in UNNAMED]:
            # A language without spaces between words has none around words of its own, only around names.
            joined = joined.replace(f" {word}", word).replace(f"{word} ", word)
        return joined

    def count(self, number: int) -> str:
        """A small number in words."""
        return self.say(f"count.{number}") if 2 <= number <= 9 else str(number)

    def code(self, span: Span | None, otherwise: str) -> str:
        """The sub-expression at a span, or `otherwise` where the source is not known."""
        return expression(self.recording, span) or otherwise

    def assignment(self, span: Span | None, variable: str | None, otherwise: str) -> str:
        """The sub-expression with the variable it is assigned to: "m = 2*torch.dot(x,x)"."""
        code = self.code(span, otherwise)
        if variable is None or _is_statement(piece_at(self.recording.source, span)):
            return code
        return f"{variable} = {code}"


def expression(recording: Recording, span: Span | None, most: int = MOST_CHARACTERS) -> str | None:
    """The piece of the program at a span, on one line, shortened with "…"; None where it is not known."""
    found = piece_at(recording.source, span)
    return None if found is None else shortened(" ".join(found.split()), most)


def shortened(words: str, most: int = MOST_CHARACTERS) -> str:
    """The words, cut off with "…" where they are too long."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def first_sentence(message: str, most: int = 200) -> str:
    """The first sentence of what torch said, without its full stop."""
    sentences = re.split(r"(?<=[.!?])\s|\n", message.strip(), maxsplit=1)
    return shortened(sentences[0].rstrip("."), most)


def _is_statement(code: str | None) -> bool:
    """Whether a piece of program already says what it is assigned to, as `m += x` does."""
    if code is None:
        return False
    try:
        parsed_expression(f"({code}\n)")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return False
