"""Style sheets, scripts and pictures of our own."""

from __future__ import annotations

import mimetypes

from fastapi import HTTPException
from fastapi.responses import Response

from leadglass.web.doors import Doors, Who
from leadglass.web.rendering import static_files

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}
"""The address carries a digest."""


@doors.get("/static/{name}", Who.ANYBODY)
def static(name: str) -> Response:
    """Give out one of the files that were there at the start; names are looked up, never opened."""
    content = static_files().get(name)
    if content is None:
        raise HTTPException(404, "there is no such file")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(content, media_type=kind, headers=_KEEP)
