"""WHEN: stages in their order."""
