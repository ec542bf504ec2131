"""What failtrace costs, each figure beside its floor, measured in turn in one run: `python -m benchmarks`."""
