"""Random answers of `lldpcli -f json show neighbors` from a seed, as lldpd writes them, with the neighbours that they show."""

import json
import random
from dataclasses import dataclass
from typing import Any

OWN = ("eno1", "eno2", "en05", "swp1.10", "name", "id")
HOSTS = ("alvin", "Simon", "THEODORE.example.org", "sw-core.lan", "id", "value", "", "naïve")
CHASSIS_IDS = {"mac": "52:54:00:0a:0B:01", "ifname": "eth0", "local": "7c1f", "ip": "192.168.1.1", "ifalias": "up.link"}
PORT_IDS = {"mac": "52:54:00:0a:0b:02", "ifname": "swp1", "local": "12", "ifalias": "Gi1/0/1", "ip": "10.0.0.1"}
DESCRIPTIONS = (None, "", "swp1", "uplink of alvin", 'a "b" \\', "tab\there", "unit\x1fseparator")
# What a chassis or a port may hold besides.
MORE = {"descr": "Debian GNU/Linux", "mgmt-ip": ["192.168.1.2", "fe80::1"], "capability": [{"type": "Bridge", "enabled": True}]}


@dataclass(frozen=True)
class Seen:
    """A neighbour on one of the host's own ports."""

    own: str
    name: str
    port: str
    description: str


def neighbours(seed: int) -> tuple[str, list[Seen]]:
    """An answer with up to four neighbours, several of which may be on one port. The same seed gives the same text."""
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    found: list[Seen] = []
    for _ in range(chance.choice((0, 1, 1, 2, 3, 4))):
        own, host = chance.choice(OWN), chance.choice((*HOSTS, None))
        (chassis_kind, chassis_id), (port_kind, port_id) = (chance.choice(list(ids.items())) for ids in (CHASSIS_IDS, PORT_IDS))
        description = chance.choice(DESCRIPTIONS)
        chassis = {"id": {"type": chassis_kind, "value": chassis_id}}
        chassis |= {key: MORE[key] for key in chance.sample(list(MORE), chance.randrange(3))}
        port = {"id": {"type": port_kind, "value": port_id}} | ({} if description is None else {"descr": description}) | {"ttl": "120"}
        if chance.random() < 0.5:
            chassis = dict(reversed(chassis.items()))
        # A name takes the place of the object that has it (lldpd, json_writer.c).
        body = {"via": "LLDP", "rid": "1", "age": "0 day, 00:00:01", "chassis": chassis if host is None else {host: chassis}, "port": port}
        rows.append({own: body})
        found.append(Seen(own, (host or "").split(".")[0] or chassis_id, port_id, description or ""))
    # One neighbour is no list, and none leaves nothing.
    inside: dict[str, Any] = {"interface": rows if len(rows) > 1 else rows[0]} if rows else {}
    text = json.dumps({"lldp": inside}, indent=2, ensure_ascii=chance.random() < 0.5)
    # An older lldpd writes control characters as they are.
    return (text.replace("\\u001f", "\x1f") if chance.random() < 0.5 else text) + "\n\n", found
