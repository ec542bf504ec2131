"""Units and magnitudes: what may stand behind a number, and the factor to its dimension's base unit."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as its dimension and its factor to the base of that dimension."""

    dimension: str
    factor: Decimal


MAGNITUDES = {
    "k": Decimal(10**3),
    "thousand": Decimal(10**3),
    "m": Decimal(10**6),
    "mn": Decimal(10**6),
    "million": Decimal(10**6),
    "b": Decimal(10**9),
    "bn": Decimal(10**9),
    "billion": Decimal(10**9),
    "tn": Decimal(10**12),
    "trillion": Decimal(10**12),
}

# dimension: factor to the base unit, then the ways of writing it. Pound is left out: it may be money or mass.
_TABLE = {
    "length": (
        ("0.001", "mm millimetre millimeter"),
        ("0.01", "cm centimetre centimeter"),
        ("1", "metre meter"),
        ("1000", "km kilometre kilometer"),
        ("0.0254", "inch inches"),
        ("0.3048", "ft foot feet"),
        ("0.9144", "yd yard"),
        ("1609.344", "mi mile"),
    ),
    "mass": (
        ("0.001", "mg milligram"),
        ("1", "g gram gramme"),
        ("1000", "kg kilogram kilo"),
        ("1000000", "tonne"),
        ("28.35", "oz ounce"),
        ("453.6", "lb lbs"),
    ),
    "time": (
        ("0.001", "ms millisecond"),
        ("1", "sec second"),
        ("60", "min minute"),
        ("3600", "h hr hrs hour"),
        ("86400", "day"),
        ("604800", "week"),
        ("2629800", "month"),
        ("31557600", "year yr yrs"),
        ("315576000", "decade"),
        ("3155760000", "century centuries"),
    ),
    "percent": (("1", "% percent pct"),),
    "usd": (("1", "$ us$ usd dollar"),),
    "eur": (("1", "€ eur euro"),),
    "gbp": (("1", "£ gbp"),),
    "jpy": (("1", "¥ jpy yen"),),
    "data": (
        ("1", "byte"),
        ("1000", "kb kilobyte"),
        ("1000000", "mb megabyte"),
        ("1000000000", "gb gigabyte"),
        ("1000000000000", "tb terabyte"),
    ),
    "speed": (("1", "km/h kph kmh"), ("1.609344", "mph")),
    "volume": (("0.001", "ml millilitre milliliter"), ("1", "litre liter"), ("3.785", "gallon")),
    "area": (("1", "acre"), ("2.471", "ha hectare")),
    "celsius": (("1", "°c"),),
    "fahrenheit": (("1", "°f"),),
}


def _units() -> dict[str, Unit]:
    units = {"per cent": Unit("percent", Decimal(1))}
    for dimension, rows in _TABLE.items():
        for factor, names in rows:
            for name in names.split():
                unit = Unit(dimension, Decimal(factor))
                units[name] = unit
                if len(name) > 2:
                    units[name + "s"] = unit
    return units


UNITS = _units()
"""Every way of writing a unit, in small letters."""
