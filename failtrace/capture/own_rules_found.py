"""Which own rules this process has: those of its settings, and the secrets it was given."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from failtrace.errors import SettingsError
from failtrace.secrets.own_rules import UNREADABLE, OwnRules
from failtrace.secrets.own_rules_file import read_own_rules
from failtrace.secrets.own_secrets import own_secrets
from failtrace.settings import Settings
from failtrace.start_directory import START


def rules_of(settings: Settings, environment: Mapping[str, str]) -> OwnRules:
    """The rules of these settings, with the secrets of both as literal texts."""
    configured = [settings.cosmos_key.get_secret_value()] if settings.cosmos_key is not None else []
    return replace(settings.redaction or OwnRules(), secrets=own_secrets(configured, environment))


def rules_found(environment: Mapping[str, str]) -> OwnRules:
    """The rules of the environment, where nobody has given settings.

    Another setting that is wrong leaves them as they are; where they cannot be read themselves, every text is to go.
    """
    try:
        return rules_of(Settings.load(), environment)
    except SettingsError:
        named = environment.get("FAILTRACE_REDACTION")
    try:
        rules = read_own_rules(START.absolute(Path(named))) if named else OwnRules()
    except SettingsError:
        return UNREADABLE
    return replace(rules, secrets=own_secrets((), environment))
