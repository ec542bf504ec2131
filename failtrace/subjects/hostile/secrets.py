"""A subject that tells its secrets wherever something can be told. They are put together here and open nothing."""

import logging
import os
import sys

from failtrace.capture.step import step
from failtrace.contracts import TraceRecord
from failtrace.subjects.hostile.catalogue import hostile, raises

_BODY = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8z"
_SECRETS = {
    "an AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "gh" + "p_" + _BODY + "abcdefgh",
    "a model's key": "sk-" + "proj-" + _BODY,
    "a web token": ".".join(
        ["ey" + "JhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"]
    ),
    "a private key": "-----BEGIN PRIVATE" + f" KEY-----\n{_BODY}\n{_BODY}\n-----END PRIVATE KEY-----",
    "a database": "postgresql://app:" + "s3cr3t" + "@db.local:5432/shop",
    "a password": "password=" + "hunter22",
}
_NEEDLES = ("IOSFODNN7", _BODY, "dozjgNryP4J3", "s3cr3t", "hunter22")


def _tells_none(record: TraceRecord) -> bool:
    text = record.model_dump_json()
    return record.completeness.values_redacted > 0 and not any(needle in text for needle in _NEEDLES)


@hostile(
    "Secrets in every place",
    raises("ValueError", "recorded, and no secret is in the record", _tells_none),
    input={"question": "why", "headers": _SECRETS, "note": " ".join(_SECRETS.values())},
)
def tell_every_secret(told: dict[str, object]) -> None:
    """In the input, everything of a step, logs, both streams, the environment, and exceptions."""
    text = " ".join(_SECRETS.values())
    os.environ["DATABASE_URL"] = _SECRETS["a database"]
    with step(f"ask with {text}", input=[told, _SECRETS]) as ask:
        ask.set_attribute("environment", dict(os.environ))
        ask.output = [text, {text: text}]
        logging.getLogger(__name__).warning("refused: %s", text)
        for stream in (sys.stdout, sys.stderr):
            print(text, file=stream)
        try:
            raise KeyError(text)
        except KeyError as cause:
            error = ValueError(f"cannot connect with {text}")
            error.add_note(text)
            raise error from cause
