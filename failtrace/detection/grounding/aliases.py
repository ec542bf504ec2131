"""Words that name one thing: countries and their people, short forms."""

from collections.abc import Iterable

_GROUPS = (
    "us usa america american americans states united",
    "uk britain british brit brits england english kingdom united",
    "france french frenchman",
    "spain spanish spaniard spaniards",
    "netherlands dutch holland",
    "greece greek greeks",
    "wales welsh",
    "scotland scottish scots scot",
    "ireland irish",
    "switzerland swiss",
    "denmark danish dane danes",
    "sweden swedish swede swedes",
    "poland polish pole poles",
    "turkey turkish turk turks",
    "iraq iraqi iraqis",
    "iran iranian persian",
    "china chinese",
    "japan japanese",
    "india indian indians",
    "germany german germans",
    "italy italian italians",
    "peru peruvian",
    "cuba cuban",
    "israel israeli hebrew",
    "norway norwegian",
    "finland finnish finn finns",
    "czechia czech",
    "hungary hungarian",
    "rome roman romans",
    "paris parisian",
    "nyc york",
    "la angeles",
    "dc washington",
    "eu european europe",
    "un nations",
    "saint st",
    "mount mt",
    "doctor dr",
    "junior jr",
    "senior sr",
    "mike michael",
    "bob robert rob",
    "bill william will",
    "jim james",
    "tom thomas",
    "tony anthony",
    "joe joseph",
    "dan daniel",
    "dave david",
    "chris christopher",
    "matt matthew",
    "alex alexander",
    "ben benjamin",
    "sam samuel",
    "steve steven stephen",
    "liz elizabeth",
    "kate katherine catherine",
)


# The postal codes of the United States and Canada whose letters are not a common English word.
_POSTAL = """
    ak alaska, az arizona, ar arkansas, ca california, ct connecticut, fl florida, ga georgia, il illinois, ks kansas,
    ky kentucky, la louisiana, md maryland, mn minnesota, mo missouri, mt montana, nc carolina, nd dakota, ne nebraska,
    nh hampshire, nj jersey, nm mexico, nv nevada, ny york, pa pennsylvania, ri rhode, sc carolina, sd dakota,
    tn tennessee, tx texas, ut utah, va virginia, vt vermont, wa washington, wi wisconsin, wv virginia, wy wyoming,
    bc columbia, qc quebec
"""


def _table() -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for group in (*_GROUPS, *_POSTAL.split(",")):
        members = frozenset(group.split())
        for member in members:
            table[member] = table.get(member, frozenset()) | members
    return table


_ALIASES = _table()


def aliases(word: str) -> Iterable[str]:
    """Other folded words for the same thing, `word` itself included."""
    return _ALIASES.get(word, (word,))
