"""What the kernel does with packets that are not its own."""
