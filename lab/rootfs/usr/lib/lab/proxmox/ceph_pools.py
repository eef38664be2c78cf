"""`pveceph pool create`, `pool set`, `pool ls`."""

import json
import re
from typing import Any

from . import ceph_conf, ceph_init, cluster_fs, storage_cfg
from .options import Option, PveError, Values, task_without_exit_code
from .rados_link import LONG_S, Monitors

SHARED = (
    Option("size", "integer", 1, 7),
    Option("min_size", "integer", 1, 7),
    Option("pg_num", "integer", 1, 32768),
    Option("pg_num_min", "integer", None, 32768),
    Option("crush_rule"),
    Option("application", choices=("rbd", "cephfs", "rgw")),
    Option("pg_autoscale_mode", choices=("on", "off", "warn")),
    Option("target_size_ratio"),
)
CREATE = (*SHARED, Option("add_storages", "boolean"))
LIST = (Option("output-format", choices=("text", "json", "json-pretty")),)
DEFAULTS = {"pg_num": "128", "size": "3", "min_size": "2", "application": "rbd", "pg_autoscale_mode": "warn"}
COLUMNS = ("pool_name", "size", "min_size", "pg_num", "pg_num_min", "pg_autoscale_mode", "crush_rule_name", "percent_used", "bytes_used")


def create(values: Values) -> None:
    """Create a replicated pool and, with add_storages, a storage of the same name."""
    cluster_fs.need_quorum()
    ceph_init.need_init()
    if not ceph_conf.ADMIN_KEYRING.exists():
        raise PveError(f"ceph not fully configured - missing '{ceph_conf.ADMIN_KEYRING}'")
    name = values["name"]
    if not re.fullmatch(r"[^:/\s]+", name):
        raise PveError("400 Parameter verification failed.\nname: value does not match the regex pattern")
    wanted = {**DEFAULTS, **{key: value for key, value in values.items() if key not in ("name", "add_storages")}}
    with task_without_exit_code():
        monitors = Monitors(LONG_S)
        monitors.text("osd pool create", pool=name, pg_num=int(wanted["pg_num"]))
        _apply(monitors, name, wanted)
        if values.get("add_storages") == "1":
            storage_cfg.add("rbd", name, {"pool": name, "content": "images,rootdir", "krbd": "0"})


def change(values: Values) -> None:
    """Change settings of a pool."""
    ceph_init.need_init()
    with task_without_exit_code():
        _apply(Monitors(LONG_S), values["name"], {key: value for key, value in values.items() if key != "name"})


def _apply(monitors: Monitors, name: str, wanted: dict[str, str]) -> None:
    """Apply settings to a pool, `size` first, because Ceph derives min_size from it."""
    present = {key: str(value) for key, value in monitors.data("osd pool get", pool=name, var="all").items()}
    failed = []
    for key in sorted(wanted, key=lambda key: (key != "size", key)):
        if present.get(key) == wanted[key]:
            print(f"skipping '{key}', did not change")
            continue
        print(f"pool {name}: applying {key} = {wanted[key]}", flush=True)
        try:
            if key == "application":
                monitors.text("osd pool application enable", pool=name, app=wanted[key])
            else:
                monitors.text("osd pool set", pool=name, var=key, val=wanted[key])
        except PveError as problem:
            print(problem)
            failed.append(key)
    if failed:
        raise PveError(f"Could not set: {', '.join(sorted(failed))}")


def show(values: Values) -> None:
    """Print the pools, as a table or as JSON."""
    ceph_init.need_init()
    monitors = Monitors()
    stats = {pool["id"]: pool["stats"] for pool in monitors.data("df")["pools"]}
    rules = {rule["rule_id"]: rule["rule_name"] for rule in monitors.data("osd crush rule dump")}
    rows = [_row(pool, stats.get(pool["pool"], {}), rules) for pool in monitors.data("osd dump")["pools"]]
    form = values.get("output-format", "text")
    if form == "text":
        _table(rows)
    else:
        print(json.dumps(rows, indent=3 if form == "json-pretty" else None))


def _row(pool: dict[str, Any], stats: dict[str, Any], rules: dict[int, str]) -> dict[str, Any]:
    taken = ("pool", "pool_name", "size", "min_size", "pg_num", "crush_rule", "pg_autoscale_mode", "application_metadata")
    return {
        **{key: pool[key] for key in taken},
        "type": {1: "replicated", 3: "erasure"}.get(pool["type"], "unknown"),
        "crush_rule_name": rules.get(pool["crush_rule"]),
        "pg_num_min": pool["options"].get("pg_num_min"),
        "percent_used": stats.get("percent_used"),
        "bytes_used": stats.get("bytes_used"),
    }


def _table(rows: list[dict[str, Any]]) -> None:
    texts = [COLUMNS, *(tuple("" if row[name] is None else str(row[name]) for name in COLUMNS) for row in rows)]
    widths = [max(len(line[index]) for line in texts) for index in range(len(COLUMNS))]
    ruler = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in texts]
    print("\n".join((ruler, lines[0], ruler, *lines[1:], ruler)))
