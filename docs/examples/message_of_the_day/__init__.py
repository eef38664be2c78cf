"""The message that whoever logs in reads."""
