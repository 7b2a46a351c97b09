"""The demo: an invented flower and cosmetics shop, played by the simulator. `seed(now)` fills it, once."""

from core.demo.seeding import seed

__all__ = ["seed"]
