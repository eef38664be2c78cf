"""NAPALM's getters, from the system's own JSON."""


class Getters:
    """Mixed into the driver."""
