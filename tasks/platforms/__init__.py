"""Configuration languages: parse, normalise, merge, and what a change does to traffic."""
