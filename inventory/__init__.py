"""WHAT SHOULD BE: the site's hosts, cables and defaults, typed and cross-checked."""
