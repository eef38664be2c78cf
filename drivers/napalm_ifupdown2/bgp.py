"""FRR's BGP neighbours as NAPALM's models. Pure.

FRR's JSON is that of bgpd/bgp_vty.c (bgp_show_peer, bgp_show_summary; tried with 10.3). It has no count of received prefixes before the
policy, no earlier state, and no time of a session that has ended.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from napalm.base import models

from napalm_ifupdown2.interfaces import UNKNOWN

# Without FRR, vtysh is not there, and nothing is printed.
NEIGHBORS = "! command -v vtysh >/dev/null || vtysh -c 'show bgp vrf all summary json' -c 'show bgp vrf all neighbors json'"
# vtysh's messages where bgpd does not run. As another user than root, it cannot tell that from a lack of rights, and says so.
NOT_RUNNING = ("bgpd is not running", "failed to connect to any daemons")
NO_RIGHTS = "privileged user"
FAMILIES = {"ipv4Unicast": "ipv4", "ipv6Unicast": "ipv6"}
GLOBAL = "global"
UP = "Established"
MAX_AS16 = 65536


def runs(answer: Mapping[str, Any]) -> bool:
    """Whether the answer to NEIGHBORS is bgpd's; False where the host has no FRR, or bgpd does not run."""
    silent = any(words in answer["err"] for words in NOT_RUNNING) and NO_RIGHTS not in answer["err"]
    return not (silent if answer["rc"] else not answer["out"].strip())


def neighbors(output: str) -> dict[str, models.BGPStateNeighborsPerVRFDict]:
    """get_bgp_neighbors: received prefixes are -1, and so is the uptime of a session that is down.

    A neighbour on an interface (without an address of its own in the configuration) has the interface's name. Other families than
    unicast have FRR's names, such as `l2VpnEvpn`.
    """
    _, instances = _documents(output)
    found: dict[str, models.BGPStateNeighborsPerVRFDict] = {}
    for vrf, peers in {"default": {}, **instances}.items():
        rows = dict(_peers(peers))
        router = next((str(peer["localRouterId"]) for peer in rows.values()), "")
        found[_instance(vrf)] = {"router_id": router, "peers": {name: _state(peer) for name, peer in rows.items()}}
    return found if instances else {}


def _state(peer: Mapping[str, Any]) -> models.BGPStateNeighborDict:
    up = peer["bgpState"] == UP
    return {
        "local_as": as_number(peer["localAs"]),
        "remote_as": as_number(peer["remoteAs"]),
        "remote_id": peer["remoteRouterId"],
        "is_up": up,
        "is_enabled": not peer.get("adminShutDown", False),
        "description": peer.get("nbrDesc", ""),
        "uptime": peer["bgpTimerUpMsec"] // 1000 if up else UNKNOWN,
        "address_family": {
            FAMILIES.get(family, family): {
                "received_prefixes": UNKNOWN,
                "accepted_prefixes": counts.get("acceptedPrefixCounter", 0),
                "sent_prefixes": counts.get("sentPrefixCounter", 0),
            }
            for family, counts in peer.get("addressFamilyInfo", {}).items()
        },
    }


def details(output: str, neighbor: str) -> dict[str, dict[int, list[models.PeerDetailsDict]]]:
    """get_bgp_neighbors_detail: by VRF and AS; all neighbours, or that with this address, or on this interface."""
    summary, instances = _documents(output)
    found: dict[str, dict[int, list[models.PeerDetailsDict]]] = {}
    for vrf, peers in instances.items():
        own = next((as_number(family["as"]) for family in summary.get(vrf, {}).values() if "as" in family), UNKNOWN)
        for name, peer in _peers(peers):
            if neighbor in ("", name, peer.get("bgpNeighborAddr"), peer.get("hostForeign")):
                of_as = found.setdefault(_instance(vrf), {}).setdefault(as_number(peer["remoteAs"]), [])
                of_as.append(_detail(vrf, name, peer, own))
    return found


def _detail(vrf: str, name: str, peer: Mapping[str, Any], own: int) -> models.PeerDetailsDict:
    families, messages, local = list(peer.get("addressFamilyInfo", {}).values()), peer["messageStats"], as_number(peer["localAs"])
    return {
        "up": peer["bgpState"] == UP,
        "local_as": local,
        "remote_as": as_number(peer["remoteAs"]),
        "router_id": peer["localRouterId"],
        "local_address": _known(peer["hostLocal"]),
        "routing_table": vrf,
        "local_address_configured": "updateSource" in peer,
        "local_port": peer["portLocal"],
        "remote_address": _known(peer.get("bgpNeighborAddr", "none")) or _known(peer["hostForeign"]) or name,
        "remote_port": peer["portForeign"],
        "multihop": peer.get("externalBgpNbrMaxHopsAway", 1) > 1,
        "multipath": False,
        "remove_private_as": any(key.startswith("privateAsNums") for family in families for key in family),
        "import_policy": _policies(families, "routeMapForIncomingAdvertisements"),
        "export_policy": _policies(families, "routeMapForOutgoingAdvertisements"),
        "input_messages": messages["totalRecv"],
        "output_messages": messages["totalSent"],
        "input_updates": messages["updatesRecv"],
        "output_updates": messages["updatesSent"],
        "messages_queued_out": messages["depthOutq"],
        "connection_state": peer["bgpState"],
        "previous_connection_state": "",
        "last_event": peer.get("lastResetDueTo", ""),
        "suppress_4byte_as": peer.get("neighborCapabilities", {}).get("4byteAs") == "received",
        "local_as_prepend": local != own != UNKNOWN and not peer.get("localAsNoPrepend", False),
        "holdtime": _seconds(peer, "bgpTimerHoldTimeMsecs"),
        "configured_holdtime": _seconds(peer, "bgpTimerConfiguredHoldTimeMsecs"),
        "keepalive": _seconds(peer, "bgpTimerKeepAliveIntervalMsecs"),
        "configured_keepalive": _seconds(peer, "bgpTimerConfiguredKeepAliveIntervalMsecs"),
        "active_prefix_count": UNKNOWN,
        "received_prefix_count": UNKNOWN,
        "accepted_prefix_count": sum(family.get("acceptedPrefixCounter", 0) for family in families),
        "suppressed_prefix_count": UNKNOWN,
        "advertised_prefix_count": sum(family.get("sentPrefixCounter", 0) for family in families),
        "flap_count": peer["connectionsDropped"],
    }


def as_number(value: int | str) -> int:
    """An AS number; with `bgp as-notation dot` FRR writes 1.10 for 65546 (RFC 5396)."""
    high, dot, low = str(value).partition(".")
    return int(high) * MAX_AS16 + int(low) if dot else int(high)


def _documents(output: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The summary and the neighbours, each by VRF: two JSON documents one after the other."""
    decoder, text = json.JSONDecoder(), output.lstrip()
    summary, end = decoder.raw_decode(text)
    return summary, decoder.raw_decode(text[end:].lstrip())[0]


def _peers(instance: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The neighbours; an instance also has values of its own."""
    return ((name, peer) for name, peer in instance.items() if isinstance(peer, dict))


def _instance(vrf: str) -> str:
    return GLOBAL if vrf == "default" else vrf


def _known(address: str) -> str:
    """An address; empty for FRR's words without one."""
    return "" if address in ("Unknown", "none") else address


def _policies(families: list[dict[str, Any]], key: str) -> str:
    return ", ".join(dict.fromkeys(str(family[key]) for family in families if key in family))


def _seconds(peer: Mapping[str, Any], key: str) -> int:
    return int(peer[key] // 1000) if key in peer else UNKNOWN
