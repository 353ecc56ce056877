"""The readers of this family, the surest first."""

from __future__ import annotations

from leadglass.configs.fronts.apache_reader import APACHE
from leadglass.configs.fronts.nginx_reader import NGINX
from leadglass.configs.kinds import Reader

__all__ = ["READERS"]

READERS: tuple[Reader, ...] = (NGINX, APACHE)
