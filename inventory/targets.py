"""Targets: everything that is read, checked or changed. A host is one, and so is a cluster, which is reached through several hosts."""

from typing import Self

# A machine or a switch of hosts.yaml; a TrueNAS, which has an API and no shell; Ceph; the Proxmox cluster.
HOST, TRUENAS, CEPH, PROXMOX = "host", "truenas", "ceph", "proxmox"
KINDS = (HOST, TRUENAS, PROXMOX, CEPH)


class Target(str):
    """A target by kind and name. It prints as `ceph/homelab`; a host prints as its name alone, as on the command line and in Nornir.

    A target is a text, so facts, plans and records have one kind of key for hosts and clusters.
    """

    __slots__ = ()

    def __new__(cls, kind: str, name: str) -> Self:
        """The target. A host's kind is not part of its text."""
        return super().__new__(cls, name if kind == HOST else f"{kind}/{name}")

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Copies are made of kind and name."""
        return kind_of(self), name_of(self)


def kind_of(target: str) -> str:
    """The kind of a target's text."""
    kind, slash, _ = target.partition("/")
    return kind if slash else HOST


def name_of(target: str) -> str:
    """The name in a target's text: of a host or a TrueNAS, its name in hosts.yaml."""
    return target.rpartition("/")[2]
