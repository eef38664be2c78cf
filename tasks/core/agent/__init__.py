"""The host agent: what runs on a host. It alone restores, and needs nothing but Python's standard library and systemd.

A transaction is a folder, /var/lib/burrow/pending, that is on disk before the first byte of the host changes: its token, backups of
every file and live value that it touches, and what to run. A systemd timer restores it unless it is confirmed; at boot, before the
network, whatever is still pending is restored. All times are monotonic, so a clock that jumps changes nothing.

A revert is on disk as `reverting` before it changes the first byte, and ends only when every file is back: until then a unit of its own
retries it, and nobody can confirm it. It needs no new space: the old inode of each file is kept by a hard link and renamed back, and
what has to be written down lies ready in the pending folder.

What a transaction did beyond its host, to a cluster, no boot and no file here takes back. Its undo is deferred: it is on disk too, and a
unit of its own retries it until it succeeds. Meanwhile this host can be changed.
"""
