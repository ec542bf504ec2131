"""How long to wait before the next attempt."""

import random

FIRST_S = 0.5
MOST_S = 15.0
"""Short enough that a backlog is on its way again within a quarter of a minute of healing."""


def backoff(attempts: int, least_s: float = 0.0) -> float:
    """Seconds to wait after so many attempts in vain: full jitter below an exponential ceiling.

    `least_s` is what the other side asked for. Full jitter, for many machines that saw one outage must not come back
    in step (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
    """
    ceiling = min(MOST_S, FIRST_S * 2.0 ** min(attempts, 30))
    return max(least_s, random.uniform(0, ceiling))  # noqa: S311  no secret depends on it
