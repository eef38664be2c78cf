"""Configuration languages: parse, normalise, merge, and the impact of a change on traffic."""
