"""`python -m failtrace` is `failtrace`."""

from failtrace.cli.main import main

main()
