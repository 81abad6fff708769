"""Functions to start from, checked content in English and Chinese."""

from explorer.gallery.catalogue import (
    GalleryFunction,
    GalleryInvalid,
    categories,
    check_gallery,
    function,
    functions,
    search,
)

__all__ = ["GalleryFunction", "GalleryInvalid", "categories", "check_gallery", "function", "functions", "search"]
