"""How a change set ended."""

from dataclasses import dataclass, field

from tasks.core.model.plan import SetPlan


@dataclass
class Outcome:
    """How one change set ended.

    `state` is one of: unchanged; done; refused (nothing was touched); reverted; reverting (a host is still restoring itself); interrupted;
    failed (the change was confirmed, but a later check failed). `grown` is a plan whose impact is larger than shown, so it was not applied.
    """

    plan: SetPlan
    state: str
    reasons: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    grown: SetPlan | None = None

    @property
    def failed(self) -> bool:
        """Whether the set is not as wanted."""
        return self.state not in ("unchanged", "done")
