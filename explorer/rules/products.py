"""The nodes that multiply what came in by a tensor they had saved: row times column, in letters as einsum has them."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Sequence

from explorer.model.values import Frozen


class Product(Frozen, frozen=True, kw_only=True):
    """A sum of products of elements.

    Args:
        came, sent: A letter for each dimension of what came in and of what is sent on; "…" for any number of them.
        saved: Name of the saved tensor that holds the other factor.
        kept: A letter for each of its dimensions. A letter that `sent` does not have is summed over.
    """

    came: str
    saved: str
    kept: str
    sent: str

    def fits(self, *shapes: Sequence[int]) -> bool:
        """Whether tensors of these shapes (came, kept, sent) can be multiplied so."""
        sizes: dict[str, int] = {}
        for letters, shape in zip(self._letters(len(shapes[0])), shapes, strict=True):
            if len(letters) != len(shape) or any(
                sizes.setdefault(letter, size) != size for letter, size in zip(letters, shape, strict=True)
            ):
                return False
        return True

    def pairs(self, element: Sequence[int], came: Sequence[int], kept: Sequence[int]) -> Iterator[tuple[int, int]]:
        """(flat index into what came in, flat index into what was saved) for every summand of one element."""
        in_came, in_kept, in_sent = self._letters(len(came))
        at = dict(zip(in_sent, element, strict=True))
        sizes = dict(zip(in_came + in_kept, (*came, *kept), strict=True))
        summed = [letter for letter in sizes if letter not in at]
        for place in itertools.product(*(range(sizes[letter]) for letter in summed)):
            index = at | dict(zip(summed, place, strict=True))
            yield _flat(in_came, index, sizes), _flat(in_kept, index, sizes)

    def _letters(self, dimensions: int) -> tuple[str, str, str]:
        any_number = string.ascii_lowercase[:dimensions]
        return tuple(letters.replace("…", any_number) for letters in (self.came, self.kept, self.sent))  # type: ignore[return-value]


def _flat(letters: str, index: dict[str, int], sizes: dict[str, int]) -> int:
    flat = 0
    for letter in letters:
        flat = flat * sizes[letter] + index[letter]
    return flat


def _product(saved: str, letters: str) -> Product:
    """The product with a saved tensor, in `torch.einsum`'s writing: "came,kept->sent"."""
    factors, sent = letters.split("->")
    came, kept = factors.split(",")
    return Product(came=came, saved=saved, kept=kept, sent=sent)


PRODUCTS: dict[tuple[str, int], Product] = {
    ("MulBackward0", 0): _product("other", "…,…->…"),
    ("MulBackward0", 1): _product("self", "…,…->…"),
    ("ExpBackward0", 0): _product("result", "…,…->…"),
    ("DotBackward0", 0): _product("tensor", ",i->i"),
    ("DotBackward0", 1): _product("self", ",i->i"),
    ("MvBackward0", 0): _product("vec", "i,j->ij"),
    ("MvBackward0", 1): _product("self", "i,ij->j"),
    ("MmBackward0", 0): _product("mat2", "ik,jk->ij"),
    ("MmBackward0", 1): _product("self", "ik,ij->jk"),
    ("AddmmBackward0", 1): _product("mat2", "ik,jk->ij"),
    ("AddmmBackward0", 2): _product("mat1", "ik,ij->jk"),
    ("BmmBackward0", 0): _product("mat2", "bik,bjk->bij"),
    ("BmmBackward0", 1): _product("self", "bik,bij->bjk"),
}
"""By name of the node and slot."""
