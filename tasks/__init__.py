"""HOW: one feature a module; only `tasks.core` talks to hosts."""
