"""Downloads that the audit knows of: a page is no way to take records along unseen."""

from collections.abc import Callable
from typing import TypeVar

from failtrace.mirror.mirror import Mirror
from failtrace.ui.visitor import visitor

Content = TypeVar("Content", bytes, str)


def noted(mirror: Mirror, what: str, make: Callable[[], Content]) -> Callable[[], Content]:
    """The content of a download button: made when it is pressed, and filed first under whose page it is."""
    by = visitor().name

    def content() -> Content:
        mirror.note("exported", what, by)
        return make()

    return content
