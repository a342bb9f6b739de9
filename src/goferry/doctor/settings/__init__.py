"""What this machine is set to, as go and git read it; nothing of it is asked of the network."""

from goferry.doctor.settings.read import read_settings
from goferry.doctor.settings.subject import parse_subject
from goferry.doctor.settings.targets import plan_targets

__all__ = ["parse_subject", "plan_targets", "read_settings"]
