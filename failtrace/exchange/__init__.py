"""Exchange: what failtrace recorded, in the shapes of other tools. `failtrace.tracing` is the way in."""
