"""Which files belong to a version."""

from goferry.proxy.upkeep import units
from keptversions import TOML, key


def test_sidecars_belong_to_their_version():
    for kind in ("info", "mod", "zip", "ziphash", "modhash"):
        assert units.version_of(key(TOML, kind)) == TOML
    for name in ("a.b/m/@v/list", "a.b/m/@latest", "a.b/m/@v/main.info", "sumdb/x/latest", "x.ziphash", ""):
        assert units.version_of(name) is None
