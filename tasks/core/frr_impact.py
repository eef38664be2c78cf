"""What applying a new frr.conf does to adjacencies, from how ospfd treats each statement."""

from collections.abc import Iterator

from tasks.core.frr_file import FrrFile

# A new value of these ends an interface's adjacency, at once or after a dead interval, until the other end has the same.
BOTH_ENDS = {
    "ip ospf area": "area",
    "ip ospf network": "network type",
    "ip ospf hello-interval": "hello-interval",
    "ip ospf dead-interval": "dead-interval",
    "ip ospf authentication": "authentication",
    "ip ospf message-digest-key": "authentication",
}
KEEPS = {"ip ospf cost": "changes its OSPF cost: traffic moves, adjacencies stay"}
PASSIVE = "ip ospf passive"
ROUTER = ("router ospf",)


def frr_impact(before: str, after: str) -> tuple[str, ...]:
    """A sentence for each consequence."""
    old, new = FrrFile(before), FrrFile(after)
    return tuple(dict.fromkeys((*_router(old, new), *(said for name in _interfaces(old, new) for said in _interface(name, old, new)))))


def _router(old: FrrFile, new: FrrFile) -> Iterator[str]:
    had, has = ROUTER in old.contexts(), ROUTER in new.contexts()
    if had and not has:
        yield "OSPF stops: every adjacency ends"
    if has and not had:
        yield "OSPF starts"
    if had and has and old.get(ROUTER, "ospf router-id") != new.get(ROUTER, "ospf router-id"):
        yield "every OSPF adjacency goes down and up: the router id changes"


def _interfaces(old: FrrFile, new: FrrFile) -> tuple[str, ...]:
    found = dict.fromkeys(path[0] for file in (old, new) for path in file.contexts() if path[0].startswith("interface ") and len(path) == 1)
    return tuple(found)


def _interface(context: str, old: FrrFile, new: FrrFile) -> Iterator[str]:
    path, name = (context,), context.removeprefix("interface ")
    if old.get(path, "ip ospf area") is None:
        return  # there is no adjacency yet
    if old.get(path, PASSIVE) != new.get(path, PASSIVE):
        becomes = new.get(path, PASSIVE) is not None
        yield f"{name}'s OSPF adjacency {'goes down: it becomes' if becomes else 'comes up: it is no longer'} passive"
    for key, what in BOTH_ENDS.items():
        if old.get(path, key) != new.get(path, key):
            yield f"{name}'s OSPF adjacency goes down until the other end has the same {what}"
    for key, effect in KEEPS.items():
        if old.get(path, key) != new.get(path, key):
            yield f"{name} {effect}"
