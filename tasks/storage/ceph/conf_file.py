"""ceph.conf, as Ceph reads it (src/common/ConfUtils.cc)."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_network

from tasks.core.model.errors import BurrowError

AUTH = ("auth_cluster_required", "auth_service_required", "auth_client_required")
# A backslash takes the special meaning from the character after it, and joins the next line to its own. A comment may begin anywhere.
_LINE = re.compile(r"(?P<content>(?:\\\n|\\[^\n]|[^\\\n#;])*)(?P<comment>[#;][^\n]*)?(?P<end>\n?)")
_JOINED = "\\\n"
_HEADING = re.compile(r"(?:\\\n)*\[((?:\\.|[^\\\]])+)\][ \t]*", re.DOTALL)
_SETTING = re.compile(r"(?:\\\n)*[ \t]*(?P<name>(?:\\[^\n]|[^\\=\[\n \t])(?:\\[^\n]|[^\\=\[\n])*)=(?P<value>.*)", re.DOTALL)
# Quotes count where they are the value's first and last character.
_VALUE = re.compile(
    r"""(?:\\\n)*+[ \t]*+(?:\\\n)*+
    (?:"(?P<double>(?:\\[^\n]|[^\\"\n])*)"[ \t]* | '(?P<single>(?:\\[^\n]|[^\\'\n])*)'[ \t]* | (?P<plain>(?!["']).*))""",
    re.VERBOSE | re.DOTALL,
)
ALONE = "`[SECTION]` alone, at the beginning of its line"
_SPACE = " \t\n\r\f\v"


def ceph_setting(text: str, key: str) -> str:
    """The value of a setting that is for everything of Ceph, empty where it is not set. Of several lines, the last one counts."""
    return sections(text).get("global", {}).get(key, "")


def checked(text: str) -> str:
    """The text of a file that Ceph can parse. Raises BurrowError with the line that it cannot."""
    sections(text)
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
def sections(text: str) -> Mapping[str, Mapping[str, str]]:
    """{section: {setting: value}}. White space within a name is underscores. Raises BurrowError where Ceph cannot parse the file.

    It also refuses what Ceph accepts and nobody writes: lines that are joined outside of a value, and one setting without a section.
    """
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] | None = None
    for number, content in _lines(text):
        heading, setting = _HEADING.fullmatch(content), _SETTING.fullmatch(content)
        value = _VALUE.fullmatch(setting["value"]) if setting else None
        if heading:
            section = found.setdefault(_unescaped(heading[1].replace(_JOINED, "")), {})
        elif content.strip(" \t"):
            if section is None or not setting or not value:
                raise _fault(number, content, ALONE if content.strip().startswith("[") else "`NAME = VALUE` in a [SECTION]")
            section[_name(setting["name"])] = _unescaped(value[value.lastgroup or 0].replace(_JOINED, "")).strip(_SPACE)
        elif content and section is None:
            raise _fault(number, content, "no blanks in an empty line before the first [SECTION]")
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, content without its comment) of each line, with the lines that a backslash joins to it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    place, number = 0, 1
    while place < len(text):
        line = _LINE.match(text, place)
        content = line["content"] if line else ""
        if not line or not (line["end"] or (line["comment"] and not content.strip(" \t"))):
            raise _fault(number, text[place:], "a newline at the end")
        yield number, "" if line["comment"] and not content.strip(" \t") else content
        place, number = line.end(), number + line[0].count("\n")


def _name(words: str) -> str:
    return re.sub(r"\s+", "_", words.strip(_SPACE), flags=re.ASCII)


def _unescaped(words: str) -> str:
    return re.sub(r"\\(.)", r"\1", words, flags=re.DOTALL)


def _fault(number: int, content: str, wanted: str) -> BurrowError:
    return BurrowError(
        f"/etc/pve/ceph.conf, line {number}: wanted {wanted}, found `{content.strip()}`: correct it; until then Ceph reads none of the file"
    )
