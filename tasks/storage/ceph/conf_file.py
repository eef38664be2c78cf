"""ceph.conf, as Ceph reads it (src/common/ConfUtils.cc)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_network

from tasks.core.model.errors import BurrowError
from tasks.platforms.text_lines import bare_lines

AUTH = ("auth_cluster_required", "auth_service_required", "auth_client_required")
# A comment may begin anywhere; a backslash takes the special meaning from the character after it.
_CONTENT = re.compile(r"(?:\\.|[^\\#;])*")
_HEADING = re.compile(r"\[([^\]]+)\]")


def ceph_setting(text: str, key: str) -> str:
    """The value of a setting that is for everything of Ceph, empty where it is not set. Of several lines, the last one counts."""
    return _sections(text).get("global", {}).get(key, "")


def checked(text: str) -> str:
    """The text of a file that Ceph can parse. Raises BurrowError with the line that it cannot."""
    _sections(text)
    return text


def networks(value: str) -> str:
    """A list of networks without host bits: the web interface writes the node's own address with its prefix length."""
    return ", ".join(_network(word) for word in re.split(r"[\s,]+", value.strip()) if word)


def _network(word: str) -> str:
    try:
        return str(ip_network(word, strict=False))
    except ValueError:
        return word


@lru_cache(maxsize=8)
def _sections(text: str) -> Mapping[str, Mapping[str, str]]:
    """{section: {setting: value}}. Blanks between the words of a name are underscores."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] | None = None
    for number, line in enumerate(bare_lines(text.replace("\\\n", "")), 1):
        content = (_CONTENT.match(line) or [""])[0].strip()
        heading, (name, equals, value) = _HEADING.fullmatch(content), content.partition("=")
        if heading:
            section = found.setdefault(heading[1], {})
        elif content and (not equals or not name.strip() or section is None):
            raise BurrowError(
                f"/etc/pve/ceph.conf, line {number}: wanted `NAME = VALUE` in a [SECTION], found `{line.strip()}`: correct it; until then"
                " Ceph reads none of the file"
            )
        elif content and section is not None:
            section["_".join(name.split())] = re.sub(r"\\(.)", r"\1", _unquoted(value.strip()))
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else value
