"""`failtrace …`: the commands, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import sys

import click

from failtrace.capture.redaction import redact_sentence
from failtrace.cli.audit import audit
from failtrace.cli.cosmos import cosmos
from failtrace.cli.dashboard import dashboard
from failtrace.cli.doctor import doctor
from failtrace.cli.export import export_command, import_command
from failtrace.cli.list import list_failures
from failtrace.cli.output import mute, never_refuse_a_character, print_line
from failtrace.cli.recover import recover_command
from failtrace.cli.redact import redact
from failtrace.cli.run import run
from failtrace.cli.show import show
from failtrace.cli.subjects import subjects
from failtrace.cli.sync import sync
from failtrace.errors import FailtraceError, InputError, RecordNotFound
from failtrace.version import package_version

EXIT_FAILED = 1
EXIT_USAGE = 2


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="To begin: `failtrace run`, then `failtrace list`, then `failtrace show FAILURE_ID`.",
)
@click.version_option(package_version(), prog_name="failtrace")
def cli() -> None:
    """Record why Python functions and AI agents fail, each failure under its own failure_id."""


for command in (
    run,
    show,
    list_failures,
    subjects,
    recover_command,
    sync,
    cosmos,
    doctor,
    export_command,
    import_command,
    audit,
    redact,
    dashboard,
):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 well, 1 a check or a lookup failed, 2 a sentence says what cannot be done."""
    # Subjects are looked for where the user stands, as `python -m` does.
    if "" not in sys.path:
        sys.path.insert(0, "")
    never_refuse_a_character()
    try:
        words = _checked(sys.argv[1:] if arguments is None else arguments)
        code = cli.main(words, prog_name="failtrace", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print_line(error.ctx.get_help() if error.ctx else "")
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        _complain(error.format_message())
        sys.exit(EXIT_USAGE)
    except RecordNotFound as error:
        _complain(str(error))
        sys.exit(EXIT_FAILED)
    except FailtraceError as error:
        _complain(str(error))
        sys.exit(EXIT_USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except OSError as error:
        # A full disk below our output, most likely; what stdout still holds would fail once more at the exit.
        mute(sys.stdout)
        _complain(f"The system refused ({error}); make room, or mend the permissions, and try again.")
        sys.exit(EXIT_USAGE)
    sys.exit(code if isinstance(code, int) else 0)


def _checked(words: list[str]) -> list[str]:
    """Raise InputError for a word that is no text: Python hands bytes it cannot decode over as lone surrogates."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"The argument {word!r:.120} is not UTF-8; give it as UTF-8 text.") from error
    return words


def _complain(sentence: str) -> None:
    print_line(redact_sentence(" ".join(f"failtrace: {sentence}".split())), err=True)
