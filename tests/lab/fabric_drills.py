"""What the drills of the fabric change, and what must come of it: data alone."""

# A line of alvin's en06 (or of its router), its new words, and which adjacencies end for it: none, that one, or all.
PORT, ROUTER = "/^interface en06$/,/^exit$/", "/^router ospf$/,/^exit$/"
FRR_RULES = {
    "cost": (f"{PORT} s/cost 5/cost 6/", ""),
    "bfd": (f"{PORT} s/^ ip ospf bfd profile burrow$/ ip ospf bfd profile other/", ""),
    "hello": (f"{PORT} s/hello-interval 2/hello-interval 3/", "en06"),
    "dead": (f"{PORT} s/dead-interval 10/dead-interval 12/", "en06"),
    "area": (f"{PORT} s/area 0.0.0.0/area 0.0.0.7/", "en06"),
    "network": (f"{PORT} s/network point-to-point/network broadcast/", "en06"),
    "passive": (f"{PORT} s/^ ip ospf bfd$/ ip ospf bfd\\n ip ospf passive/", "en06"),
    "authentication": (
        f"{PORT} s/^ ip ospf bfd$/ ip ospf bfd\\n ip ospf authentication message-digest\\n ip ospf message-digest-key 1 md5 hush/",
        "en06",
    ),
    "stops": (f"{ROUTER} d", "all"),
    "router-id": (f"{ROUTER} s/router-id .*/router-id 10.103.0.99/", "all"),
    "area-authentication": (f"{ROUTER} s/router-id .*/&\\n area 0.0.0.0 authentication message-digest/", "all"),
    "passive-by-default": (f"{ROUTER} s/router-id .*/&\\n passive-interface default/", "all"),
    "mtu-ignore and max-metric": (
        f"{PORT} s/^ ip ospf bfd$/&\\n ip ospf mtu-ignore/; {ROUTER} s/router-id .*/&\\n max-metric router-lsa administrative/",
        "",
    ),
}

# What of alvin's en06 changes in the other file.
STANZA = "/^iface en06 /,/mtu/"
PORT_RULES = {
    "mtu": f"{STANZA} s/mtu .*/mtu 9000/",
    "address": f"{STANZA} s#address .*#address 10.105.0.200/31#",
}

# What somebody does by hand on simon's en05, and how the audit names it.
MISTAKES = {
    "mtu": ("ip link set en05 mtu 9000", "simon:en05", "9000"),
    "area": ("ip ospf area 0.0.0.9", "simon:en05", "area"),
    "key": ("ip ospf authentication message-digest", "simon:en05", "authentication"),
    "router-id": ("ospf router-id 10.103.0.1", "simon", "10.103.0.1"),
}
BY_HAND = {
    "area": ("-c 'interface en05' -c 'no ip ospf area 0.0.0.0' -c 'ip ospf area 0.0.0.9'"),
    "key": ("-c 'interface en05' -c 'ip ospf authentication message-digest' -c 'ip ospf message-digest-key 1 md5 hush'"),
    "router-id": ("-c 'router ospf' -c 'ospf router-id 10.103.0.1' -c 'end' -c 'clear ip ospf process'"),
}
