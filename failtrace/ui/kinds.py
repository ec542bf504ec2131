"""Name, glyph and place in the palette of each failure type: the same on every page, never colour alone."""

from dataclasses import dataclass

from failtrace.contracts import FailureType
from failtrace.wording import GLYPHS


@dataclass(frozen=True, slots=True)
class Kind:
    """How one failure type, or passing, is shown."""

    key: str
    """The failure type's value, or `passed`; the components draw its icon and colour by it."""
    label: str
    glyph: str
    """For charts, where an icon cannot stand."""

    @property
    def title(self) -> str:
        """Glyph and label, for axes and legends."""
        return f"{self.glyph} {self.label}"


PASSED = Kind("passed", "Passed", "✓")
KINDS = {
    FailureType.EXCEPTION: Kind("exception", "Exception", GLYPHS[FailureType.EXCEPTION]),
    FailureType.TIMEOUT: Kind("timeout", "Timeout", GLYPHS[FailureType.TIMEOUT]),
    FailureType.VALIDATION_ERROR: Kind("validation_error", "Validation error", GLYPHS[FailureType.VALIDATION_ERROR]),
    FailureType.HALLUCINATION_FLAG: Kind("hallucination_flag", "Hallucination", GLYPHS[FailureType.HALLUCINATION_FLAG]),
}
"""In the order of `chartCategoricalColors` in .streamlit/config.toml; passed comes last."""


def kind_of(failure_type: FailureType | None) -> Kind:
    """How the type is shown; None is an execution that passed."""
    return PASSED if failure_type is None else KINDS[failure_type]
