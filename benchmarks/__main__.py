"""`python -m benchmarks`: measure every row, print the table, write results.md; exit 1 where a row misses its must."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks import capture, deadline, delivery, imports, listing, lookup, overview, page, process, storage, watch
from benchmarks.harness import Row
from benchmarks.places import RESULTS
from benchmarks.population import populated
from benchmarks.table import document, table

ROUNDS, QUICK_ROUNDS = 7, 3
SIZE, QUICK_SIZE = 1_000_000, 100_000
MEASURES: dict[str, Callable[[int, int], tuple[Row, ...]]] = {
    "capture": capture.measure,
    "storage": storage.measure,
    "delivery": delivery.measure,
    "lookup": lookup.measure,
    "overview": overview.measure,
    "listing": listing.measure,
    "process": process.measure,
    "deadline": deadline.measure,
    "imports": imports.measure,
    "watch": watch.measure,
    "page": page.measure,
}


def main() -> int:
    """All rows or those named, each in an interpreter of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ROW", help=f"of {', '.join(MEASURES)}; all where none is named")
    parser.add_argument("--quick", action="store_true", help="a tenth of the records and few rounds; writes no file")
    parser.add_argument("--rounds", type=int, help="rounds a row")
    options = parser.parse_args()
    unknown = set(options.names) - set(MEASURES)
    if unknown:
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    size = QUICK_SIZE if options.quick else SIZE
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    populated(size)
    rows = [row for name in options.names or MEASURES for row in _measured(name, rounds, size)]
    print(f"\n{table(rows)}")
    if not options.quick and not options.names:
        RESULTS.write_text(document(rows, rounds, size), encoding="utf-8")
    return int(any(row.missed for row in rows))


def _measured(name: str, rounds: int, size: int) -> tuple[Row, ...]:
    """In a fresh interpreter, so that no row finds what another left in memory."""
    print(f"measuring {name} …", flush=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(MEASURES[name], rounds, size).result()


if __name__ == "__main__":
    sys.exit(main())
