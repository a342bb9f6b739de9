"""How go would get one module in this environment, decided from the settings alone: nothing is asked of the network."""

from goferry.doctor.route.records import Credential, Hop, Route, Step, SumCheck, Trap
from goferry.doctor.route.trace import trace

__all__ = ["Credential", "Hop", "Route", "Step", "SumCheck", "Trap", "trace"]
