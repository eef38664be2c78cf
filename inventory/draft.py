"""The joined rows of an inventory folder. The rules check a draft, and the site is built from it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from pydantic import BaseModel

from inventory.errors import Place, Problem
from inventory.files import YamlFile, read
from inventory.models import BondEnds, CableRow, CablesFile, DefaultsFile, HostFields, HostRow, PointToPointNetwork
from inventory.site import Cable, End
from inventory.structure import Model, check, check_rows
from inventory.value_types import HOST_NAME


@dataclass(frozen=True)
class Draft:
    """The valid rows of the four files, with each host's group values merged in, and the line of each value.

    `invalid` lists the hosts whose row or group is invalid; `cables_known` is whether cables.yaml is valid. What is not is already
    reported, so the rules report nothing that follows from it.
    """

    hosts: Mapping[str, HostRow]
    groups: Mapping[str, HostFields]
    defaults: DefaultsFile | None
    cables: tuple[Cable, ...]
    networks: Mapping[str, PointToPointNetwork]
    invalid: frozenset[str]
    files: Mapping[str, YamlFile]
    cables_known: bool = True

    def at(self, host: str, *path: str | int) -> Place:
        """The line that sets a host's value: in its row, else in the first of its groups that sets it, else the row itself."""
        if self.files["hosts"].sets(host, *path):
            return self.files["hosts"].place(host, *path)
        for group in self.hosts[host].groups:
            if self.files["groups"].sets(group, *path):
                return self.files["groups"].place(group, *path)
        return self.files["hosts"].place(host)

    def lacking_place(self, host: str) -> Place:
        """Where a host lacks what its group may have for all of its hosts: its first group, else its row."""
        groups = self.hosts[host].groups
        return self.files["groups"].place(groups[0]) if groups and self.files["groups"].sets(groups[0]) else self.files["hosts"].place(host)

    def knows_groups_of(self, host: str) -> bool:
        """Whether all of a host's groups exist. A missing group is already reported, and could set what the host lacks."""
        return all(group in self.groups for group in self.hosts[host].groups)

    def is_complete(self, host: str) -> bool:
        """Whether all of a host's groups exist, and it has what every host has. What it lacks is already reported, and explains more."""
        row = self.hosts[host]
        return self.knows_groups_of(host) and None not in (row.platform, row.link, row.management)

    def at_cable(self, index: int) -> Place:
        """The line of a row of the cable table."""
        return self.files["cables"].place("cables", index)

    @property
    def unknown_hosts(self) -> Mapping[str, int]:
        """{name: how many ends} of the hosts that cables name and hosts.yaml does not."""
        return Counter(end.host for _, _, end in self.ends() if end.host not in self.hosts and end.host not in self.invalid)

    def ends(self) -> Iterator[tuple[int, Cable, End]]:
        """Every end of every cable, as (row index, cable, end)."""
        return ((index, cable, end) for index, cable in enumerate(self.cables) for end in cable.ends)


def draft_of(folder: Path) -> tuple[Draft, tuple[Problem, ...]]:
    """The valid rows of the four files of `folder`, joined; and the problems of each file by itself."""
    files = {name: read(folder / f"{name}.yaml") for name in ("hosts", "groups", "defaults", "cables")}
    rows, wrong_rows = check_rows(HostRow, files["hosts"], HOST_NAME)
    groups, wrong_groups = check_rows(HostFields, files["groups"], HOST_NAME)
    defaults, wrong_defaults = check(DefaultsFile, files["defaults"])
    table, wrong_table = check(CablesFile, files["cables"])
    problems = (
        *(problem for file in files.values() for problem in file.problems),
        *wrong_rows,
        *wrong_groups,
        *wrong_defaults,
        *wrong_table,
    )

    invalid = frozenset(_names(files["hosts"])) - rows.keys()
    invalid |= {name for name, row in rows.items() if _has_invalid_group(row, groups, files["groups"])}
    hosts = {name: filled_in(row, groups) for name, row in rows.items() if name not in invalid}
    known = table is not None and bool(_names(files["hosts"]))
    valid = table if table is not None and known else CablesFile()
    cables = tuple(cables_of(valid.cables, valid.networks))
    return Draft(hosts, groups, defaults, cables, valid.networks, invalid, files, known), problems


def filled_in(row: HostRow, groups: Mapping[str, HostFields]) -> HostRow:
    """A host's row with each unset value taken from the first of its groups that sets it. Ports and bonds merge key by key."""
    return _over(row, *(groups[name] for name in row.groups if name in groups))


def _over(first: Model, *others: BaseModel) -> Model:
    """`first`, with each unset field taken from the first of `others` that sets it."""
    merged = {field: getattr(first, field) for field in first.model_fields_set}
    for other in others:
        for field in other.model_fields_set:
            value = getattr(other, field)
            if isinstance(value, Mapping):
                merged[field] = {**value, **{key: _over(mine, *_row_of(value, key)) for key, mine in merged.get(field, {}).items()}}
            else:
                merged.setdefault(field, value)
    return first.model_copy(update=merged)


def _row_of(rows: Mapping[str, BaseModel], key: str) -> tuple[BaseModel, ...]:
    return (rows[key],) if key in rows else ()


def cables_of(rows: Iterable[CableRow], networks: Mapping[str, PointToPointNetwork]) -> Iterator[Cable]:
    """The cables of the table. A point-to-point cable takes its network's next /31, and its "from" end takes the lower address.

    RFC 3021: both addresses of a /31 are hosts' addresses. If the network is unknown or has no free /31, the cable has no addresses.
    """
    pairs = {name: _pairs(network.prefix) for name, network in networks.items()}
    for row in rows:
        pair = next(pairs[row.network], None) if row.network in pairs else None
        bond = row.bond or BondEnds()
        yield Cable(
            ends=(end_of(row.from_), end_of(row.to)),
            bonds=(bond.from_, bond.to),
            network=row.network,
            addresses=(IPv4Interface((pair[0], 31)), IPv4Interface((pair[1], 31))) if pair is not None else None,
        )


def end_of(text: str) -> End:
    """The end that HOST:PORT names."""
    host, _, port = text.partition(":")
    return End(host=host, port=port)


def _pairs(prefix: IPv4Network) -> Iterator[IPv4Network]:
    return prefix.subnets(new_prefix=31) if prefix.prefixlen <= 31 else iter(())


def _names(file: YamlFile) -> tuple[str, ...]:
    return tuple(file.data) if isinstance(file.data, dict) else ()


def _has_invalid_group(row: HostRow, groups: Mapping[str, HostFields], file: YamlFile) -> bool:
    return any(name not in groups and (not isinstance(file.data, dict) or name in _names(file)) for name in row.groups)
