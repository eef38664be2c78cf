"""Runs on a host of the lab: what ifupdown2's own parser reads in each text of the JSON list on standard input.

For each text: [[name, {attribute: values}], ...] of its interfaces in order, and the names of those that come up at boot.
"""

import json
import logging
import sys

sys.path.insert(0, "/usr/share/ifupdown2")

from ifupdown.iface import ifaceType
from ifupdown.networkinterfaces import networkInterfaces

METHODS = {"inet": ["static", "manual", "dhcp", "loopback"], "inet6": ["static", "manual", "dhcp", "auto", "loopback"]}


def read(text):
    found = []
    parser = networkInterfaces(interfacesfile="/etc/network/nowhere")
    parser._addrfams = METHODS
    parser.callbacks |= {"iface_found": found.append, "validateifaceattr": lambda *_: True}
    parser.read_filedata(text)
    ifaces = [one for one in found if one.type != ifaceType.BRIDGE_VLAN]
    return [[one.name, dict(one.config)] for one in ifaces], sorted({one.name for one in ifaces if one.auto})


logging.disable(logging.CRITICAL)
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
