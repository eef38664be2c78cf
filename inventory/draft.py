"""The rows of an inventory folder joined, before the rules have judged them: what the rules read and the site is made of."""

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
    """The sound rows of the four files, a host's with its groups' words filled in, and where each of them stands.

    `unsound` names the hosts whose own row or group is already reported: the rules are silent about what follows from that.
    """

    hosts: Mapping[str, HostRow]
    groups: Mapping[str, HostFields]
    defaults: DefaultsFile | None
    cables: tuple[Cable, ...]
    networks: Mapping[str, PointToPointNetwork]
    unsound: frozenset[str]
    files: Mapping[str, YamlFile]

    def at(self, host: str, *path: str | int) -> Place:
        """Where a host's value is written: in its row, in its first group that says it, else the row itself."""
        if self.files["hosts"].says(host, *path):
            return self.files["hosts"].place(host, *path)
        for group in self.hosts[host].groups:
            if self.files["groups"].says(group, *path):
                return self.files["groups"].place(group, *path)
        return self.files["hosts"].place(host)

    def knows_groups_of(self, host: str) -> bool:
        """Whether all of a host's groups are there: if not, that is reported, and what the host lacks may be theirs to say."""
        return all(group in self.groups for group in self.hosts[host].groups)

    def at_cable(self, index: int) -> Place:
        """Where a row of the cable table stands."""
        return self.files["cables"].place("cables", index)

    def ends(self) -> Iterator[tuple[int, Cable, End]]:
        """Every end of every cable: the row's index, the cable, the end."""
        return ((index, cable, end) for index, cable in enumerate(self.cables) for end in cable.ends)


def draft_of(folder: Path) -> tuple[Draft, tuple[Problem, ...]]:
    """The four files of `folder`, read and joined as far as they are sound; and what is wrong with each by itself."""
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

    unsound = frozenset(_names(files["hosts"])) - rows.keys()
    unsound |= {name for name, row in rows.items() if _rests_on_unsound(row, groups, files["groups"])}
    hosts = {name: filled_in(row, groups) for name, row in rows.items() if name not in unsound}
    judged = table if table is not None and _names(files["hosts"]) else CablesFile()
    cables = tuple(cables_of(judged.cables, judged.networks))
    return Draft(hosts, groups, defaults, cables, judged.networks, unsound, files), problems


def filled_in(row: HostRow, groups: Mapping[str, HostFields]) -> HostRow:
    """A host's row with what it does not say itself from its first group that says it; a port's and a bond's words one by one."""
    return _over(row, *(groups[name] for name in row.groups if name in groups))


def _over(first: Model, *others: BaseModel) -> Model:
    """`first`, and where it is silent the first of `others` that is not."""
    said = {field: getattr(first, field) for field in first.model_fields_set}
    for other in others:
        for field in other.model_fields_set:
            value = getattr(other, field)
            if isinstance(value, Mapping):
                said[field] = {**value, **{key: _over(mine, *_one(value, key)) for key, mine in said.get(field, {}).items()}}
            else:
                said.setdefault(field, value)
    return first.model_copy(update=said)


def _one(rows: Mapping[str, BaseModel], key: str) -> tuple[BaseModel, ...]:
    return (rows[key],) if key in rows else ()


def cables_of(rows: Iterable[CableRow], networks: Mapping[str, PointToPointNetwork]) -> Iterator[Cable]:
    """The cables of the table; one of a point-to-point network takes the network's next /31, its "from" end the lower address.

    RFC 3021: both addresses of a /31 are hosts' addresses. Where the network is unknown or used up, the cable has no addresses.
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
    """HOST:PORT as an end."""
    host, _, port = text.partition(":")
    return End(host=host, port=port)


def _pairs(prefix: IPv4Network) -> Iterator[IPv4Network]:
    return prefix.subnets(new_prefix=31) if prefix.prefixlen <= 31 else iter(())


def _names(file: YamlFile) -> tuple[str, ...]:
    return tuple(file.data) if isinstance(file.data, dict) else ()


def _rests_on_unsound(row: HostRow, groups: Mapping[str, HostFields], file: YamlFile) -> bool:
    return any(name not in groups and (not isinstance(file.data, dict) or name in _names(file)) for name in row.groups)
