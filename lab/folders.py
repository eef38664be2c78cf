"""The lab's folder, outside the checkout, in the user's cache."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "BURROW_LAB"


@dataclass(frozen=True)
class Folders:
    """The lab's folder and the paths in it."""

    root: Path

    @classmethod
    def of_user(cls) -> "Folders":
        """The folder in BURROW_LAB, else burrow/lab in the user's cache."""
        if named := os.environ.get(VARIABLE):
            return cls(Path(named).absolute())
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(Path(cache) / "burrow" / "lab")

    @property
    def kernels(self) -> Path:
        """Kernels, one folder for each."""
        return self.root / "kernels"

    @property
    def images(self) -> Path:
        """Base images, one folder for each, named by the hash of its inputs."""
        return self.root / "images"

    @property
    def keys(self) -> Path:
        """The lab's SSH key and the host keys of its machines."""
        return self.root / "keys"

    @property
    def identity(self) -> Path:
        """The private key for all machines of the lab."""
        return self.keys / "id_ed25519"

    @property
    def ssh_config(self) -> Path:
        """The SSH configuration of the machines, for `ssh -F`."""
        return self.root / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The pinned host keys."""
        return self.root / "known_hosts"

    @property
    def run(self) -> Path:
        """The state of a running lab. `down` removes it."""
        return self.root / "run"

    @property
    def control(self) -> Path:
        """The keeper's socket."""
        return self.run / "control"

    @property
    def keeper_log(self) -> Path:
        """The keeper's log."""
        return self.run / "keeper.log"

    @property
    def blueprint(self) -> Path:
        """The blueprint of the running lab."""
        return self.run / "blueprint.json"

    def machine(self, name: str) -> Path:
        """A machine's disk, seed and console log."""
        return self.run / "machines" / name

    @contextmanager
    def locked(self, wait: Callable[[], None]) -> Iterator[None]:
        """Hold the lock for creating a lab. Calls `wait` first if another process holds it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def give_to_user(self) -> None:
        """Make the user who called sudo the owner of the files that a user reads (keys, SSH configuration)."""
        owner, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
        if owner is None or group is None:
            return
        for path in (self.root.parent, self.root, self.ssh_config, self.known_hosts, self.keys, *self.keys.iterdir()):
            os.chown(path, int(owner), int(group))
