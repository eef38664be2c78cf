"""Debian's archive: the mirror of this machine, and downloads of single packages from other releases."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = Path("/etc/apt")
MIRROR_VARIABLE = "BURROW_DEBIAN_MIRROR"
SUITES = re.compile(r"^(oldstable|stable|testing|unstable|sid|bookworm|trixie|forky)$")


@dataclass(frozen=True)
class Mirror:
    """A mirror of Debian's archive."""

    url: str

    @classmethod
    def of_machine(cls) -> "Mirror":
        """The mirror that this machine's apt uses. Raises LabError if there is none."""
        if named := os.environ.get(MIRROR_VARIABLE):
            return cls(named)
        for path in (
            *sorted((SOURCES / "sources.list.d").glob("*.sources")),
            SOURCES / "sources.list",
            *sorted((SOURCES / "sources.list.d").glob("*.list")),
        ):
            if path.exists() and (url := mirror_in(path.read_text())):
                return cls(url)
        if url := built_in_mirror():
            return cls(url)
        raise LabError(f"wanted a Debian mirror; found none in {SOURCES}: set one in {MIRROR_VARIABLE}")

    def source(self, suite: str) -> str:
        """A line of sources.list."""
        return f"deb [signed-by={KEYRING}] {self.url} {suite} main"


def built_in_mirror() -> str | None:
    """The default mirror of mmdebstrap, for a machine with another distribution, such as Ubuntu."""
    program = shutil.which("mmdebstrap")
    found = re.search(r"^\s*my \$mirror\s*=\s*'(\S+)';", Path(program).read_text(errors="replace"), re.MULTILINE) if program else None
    return found[1] if found else None


def mirror_in(text: str) -> str | None:
    """The first mirror of a whole Debian release in the text of an apt sources file, in deb822 or one-line style."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(URIs|Suites|Components|Types):\s*(.+)$", stanza, re.MULTILINE))
        if "URIs" in fields and _is_debian(fields.get("Suites", ""), fields.get("Components", "")):
            return str(fields["URIs"].split()[0])
    for line in text.splitlines():
        words = re.sub(r"\[.*?\]", "", line).split()
        if len(words) > 3 and words[0] == "deb" and _is_debian(words[2], " ".join(words[3:])):
            return words[1]
    return None


def _is_debian(suites: str, components: str) -> bool:
    return any(SUITES.match(suite) for suite in suites.split()) and "main" in components.split()


def download(package: str, suite: str, mirror: Mirror, folder: Path) -> Path:
    """Download one package of another release with a separate apt folder, so the machine's sources do not change."""
    apt = folder / "apt"
    for part in ("etc/sources.list.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    shutil.copytree(SOURCES / "apt.conf.d", apt / "etc/apt.conf.d", dirs_exist_ok=True)
    (apt / "state/status").touch()
    (apt / "etc/sources.list").write_text(mirror.source(suite) + "\n")
    options = [
        f"Dir::Etc={apt}/etc",
        f"Dir::State={apt}/state",
        f"Dir::State::status={apt}/state/status",
        f"Dir::Cache={apt}/cache",
        "APT::Sandbox::User=root",
    ]
    command = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    for action in (["update"], ["download", package]):
        done = subprocess.run([*command, *action], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(
                f"wanted {package} of {suite} from {mirror.url}; apt-get {action[0]} printed: {done.stderr.strip() or done.stdout.strip()}"
            )
    return next(folder.glob(f"{package}_*.deb"))
