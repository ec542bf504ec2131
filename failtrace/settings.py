"""Every setting, declared once: environment variable, type, default, sentence."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from failtrace.errors import SettingsError
from failtrace.secrets.own_rules import OwnRules
from failtrace.secrets.own_rules_file import read_own_rules
from failtrace.start_directory import START


def _env(name: str) -> AliasChoices:
    return AliasChoices(name)


class Settings(BaseSettings):
    """Read from the environment by `Settings.load()`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    home: Path = Field(
        default=Path(".failtrace"),
        validation_alias=_env("FAILTRACE_HOME"),
        description="Folder of the mirror (mirror.sqlite) and of the journal; a relative path counts from where "
        "failtrace was imported.",
    )
    subjects: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        validation_alias=_env("FAILTRACE_SUBJECTS"),
        description="Modules to import for their subjects, comma separated.",
    )
    keep_passed: int = Field(
        default=1000,
        ge=0,
        validation_alias=_env("FAILTRACE_KEEP_PASSED"),
        description="How many whole records of passed executions the mirror keeps for each subject.",
    )
    timeout_s: float = Field(
        default=30.0,
        gt=0,
        le=30 * 24 * 3600,
        allow_inf_nan=False,
        validation_alias=_env("FAILTRACE_TIMEOUT"),
        description="Seconds a subject may take where neither it nor the caller says.",
    )
    cosmos_endpoint: str | None = Field(
        default=None,
        validation_alias=_env("COSMOS_ENDPOINT"),
        description="The Cosmos DB account; unset means the memory store.",
    )
    cosmos_key: SecretStr | None = Field(
        default=None,
        validation_alias=_env("COSMOS_KEY"),
        description="Its key; unset means Microsoft Entra ID, by DefaultAzureCredential.",
    )
    cosmos_database: str = Field(
        default="failtrace",
        min_length=1,
        max_length=255,
        validation_alias=_env("COSMOS_DATABASE"),
        description="The database in the account.",
    )
    cosmos_container: str = Field(
        default="traces",
        min_length=1,
        max_length=255,
        validation_alias=_env("COSMOS_CONTAINER_TRACES"),
        description="The container of that database, with the partition key /failure_id.",
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        validation_alias=_env("FAILTRACE_RETENTION_DAYS"),
        description="Days after which records go, from the mirror and from Cosmos DB alike; unset keeps them.",
    )

    runners: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        validation_alias=_env("FAILTRACE_RUNNERS"),
        description="E-mail addresses that may start and cancel runs where the dashboard has a login, comma separated.",
    )
    acting_for: str | None = Field(
        default=None,
        validation_alias=_env("FAILTRACE_ACTING_FOR"),
        description="Whom the audit names as who started a run; the dashboard sets it, unset means the OS user.",
    )

    redaction: Annotated[OwnRules | None, NoDecode] = Field(
        default=None,
        validation_alias=_env("FAILTRACE_REDACTION"),
        description="A TOML file of rules of your own for what is secret and what is not.",
    )

    @field_validator("redaction", mode="before")
    @classmethod
    def _read_rules(cls, value: object) -> object:
        return read_own_rules(START.absolute(Path(value))) if isinstance(value, str) else value

    @field_validator("subjects", "runners", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def mirror_path(self) -> Path:
        """The SQLite file."""
        return self.home / "mirror.sqlite"

    @property
    def journal_path(self) -> Path:
        """The folder of journal segments, one file an execution."""
        return self.home / "journal"

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """The settings of this moment's environment, with fields replaced by `overrides`.

        The home is made absolute from where the process began: whoever changes directory later keeps it. Raises
        SettingsError naming the variable that is wrong.
        """
        try:
            loaded = cls().model_copy(update=overrides)
            return loaded.model_copy(update={"home": START.absolute(loaded.home)})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            variable = str(first["loc"][0]) if first["loc"] else "the environment"
            raise SettingsError(
                f"{variable} is set to {first['input']!r}, which cannot be used: {first['msg'].lower()}; "
                "set it to another value or unset it."
            ) from error
