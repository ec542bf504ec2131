"""How much of one value is kept. What goes beyond is cut, marked and counted."""

MAX_DEPTH = 40
"""Levels of JSON nesting. pydantic refuses 255, Cosmos DB 128."""
MAX_ITEMS = 10_000
"""Items of one container; of a longer one, the marker that says so is the last of them."""
MAX_NODES = 200_000
"""Items of all containers of one value."""
MAX_TEXT = 1 << 20
"""Characters of one string."""
MAX_BYTES = 16 << 20
"""UTF-8 bytes of all texts of one value."""
MAX_SECONDS = 2.0
"""Time for one value; looked at whenever a container or a long text begins."""
MAX_BINARY = 768 << 10
"""Bytes of one bytes object: MAX_TEXT in base64."""
MAX_REPR = 10_000
"""Characters of an object's repr, or of an exception's message inside a value."""
MAX_DECIMAL_BITS = 1_990
"""Integers up to 600 digits are written in decimal: Python may refuse more than 640 (`sys.set_int_max_str_digits`)."""
MAX_INT_BITS = 1 << 18
"""Integers up to this are written whole, in hex."""
MAX_EXACT_INT = 1 << 53
"""Beyond it doubles, and so Cosmos DB and JavaScript, lose whole numbers."""
MAX_HASHED = 64 << 20
"""Characters or bytes beyond which no sha256 is taken: 64 MiB take about 0.1 s."""
SLACK = 8 << 10
"""Characters beyond a cut that are read for redaction and then dropped: more than any one secret is long."""
