"""HOW: one feature a module; only `tasks.core` talks to hosts."""

from inventory.renamed import refuse_old_imports

refuse_old_imports()
