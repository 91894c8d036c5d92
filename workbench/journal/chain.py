"""The hash chain of the journal: each row is bound to the one before it, so that what was written stays written.

The hash of a row is taken over the hash of the row before and everything the row says. Whoever edits, removes, inserts
or swaps rows would have to write every later hash anew, and the head that ``deployment_states`` keeps
(``journal.verify`` looks). The chain finds damage and careless hands. It is no signature: who can write the whole
database can write a whole new chain.
"""

from __future__ import annotations

import hashlib
import json

import orjson

#: What the first row of a journal follows.
FIRST = "0" * 32

#: Stands between the parts that are hashed. No part but the last may contain it, so that no two rows read alike.
_BETWEEN = "\x1f"

#: For what the quick encoder does not take: whole numbers beyond 64 bits, and text with half a character.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(obj: object) -> str:
    """JSON of plain data in the one form that is hashed: sorted keys, no spaces.

    Parameters
    ----------
    obj : object
        Dicts with text keys, lists, text, whole numbers, doubles, true, false, None. A missing number is None; so is
        NaN or an infinite one, for which JSON has no word.

    Returns
    -------
    str
        JSON; a double reads back bit for bit, the sign of a zero too.

    Raises
    ------
    TypeError
        Something that JSON does not have.
    """
    try:
        return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        return _encode(obj)


def link(prev_hash: str, deployment_id: str, seq: int, instant_ns: int, at_ns: int, kind: str, body: str) -> str:
    """Hash of one row of the journal, of everything it says and of the hash of the row before.

    Parameters
    ----------
    prev_hash : str
        Hash of row ``seq - 1``; ``FIRST`` for the first row.
    deployment_id : str
        Whose journal.
    seq : int
        Number of the row, from 1.
    instant_ns, at_ns : int
        What the row is about, and when it was written.
    kind : str
        Kind of the row.
    body : str
        ``canonical`` JSON.

    Returns
    -------
    str
        32 hexadecimal digits: blake2b of 16 bytes.

    Raises
    ------
    ValueError
        A part before the body contains the character that stands between parts.
    """
    if _BETWEEN in prev_hash or _BETWEEN in deployment_id or _BETWEEN in kind:
        raise ValueError(f"a hash, deployment or kind contains the character {_BETWEEN!r}: row {seq} cannot be chained")
    text = f"{prev_hash}\x1f{deployment_id}\x1f{seq}\x1f{instant_ns}\x1f{at_ns}\x1f{kind}\x1f{body}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
