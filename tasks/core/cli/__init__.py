"""What all scripts in runbooks/ share: options, screen, results."""
