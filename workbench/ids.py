"""Ids of orders: from what an order is and nothing else, so that asking twice gives the same one."""

from __future__ import annotations

import base64
import hashlib

CHARACTERS = 20


def short_id(*parts: str) -> str:
    """20 characters of A-Z and 2-7 from what identifies a thing; fits the client ids of every broker.

    Parameters
    ----------
    parts : str
        In a fixed order; none may contain ``|``, which stands between them.
    """
    digest = hashlib.blake2b("|".join(parts).encode(), digest_size=13).digest()
    return base64.b32encode(digest).decode()[:CHARACTERS]
