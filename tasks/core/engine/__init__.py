"""Read, plan, show and ask, apply, verify, then confirm or undo."""
