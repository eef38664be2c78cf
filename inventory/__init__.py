"""The intent: the site's hosts, cables and defaults, typed and cross-checked."""

from inventory.renamed import refuse_old_imports

refuse_old_imports()
