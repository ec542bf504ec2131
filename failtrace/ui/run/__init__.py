"""The Run page's parts: what can be started, what goes, what became of it."""
