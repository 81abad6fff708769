"""The charts."""

from explorer.render.contribution_chart import contribution_chart
from explorer.render.heat_map import heat_map

__all__ = ["contribution_chart", "heat_map"]
