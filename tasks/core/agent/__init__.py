"""The host agent: the program that runs on a host. Only the agent restores the host; it needs Python's standard library and systemd.

A transaction is the folder /var/lib/burrow/pending. It is on disk before the first byte of the host changes, and holds the transaction's
token, backups of every file and live value that it changes, and the commands to run. A systemd timer reverts the transaction unless it is
confirmed. After a reboot, the agent reverts a pending transaction before the network comes up. All times are monotonic, so a clock that
jumps has no effect.

A revert is on disk as `reverting` before it changes the first byte, and ends only when every file is restored. Until then a systemd unit
retries it, and it cannot be confirmed. A revert needs no new disk space: a hard link keeps the old inode of each file, which is renamed
back, and everything that has to be written is prepared in the pending folder.

A reboot and restored files do not undo what a transaction did to a cluster. That undo is deferred: it is on disk too, and a systemd unit
retries it until it succeeds. Meanwhile the host can be changed.
"""
