"""The traffic split of a canary: a bucket from 0 to 100 for each entity, the same in the daily batch and in the scoring
service.
"""

import hashlib

import numpy as np
import pandas as pd

from ml_assets.core.tables.nul_characters import factorize

BUCKETS = 10_000


def bucket_of(model: str, entity: object) -> float:
    """Return the bucket of an entity, from 0 to below 100 in hundredths; entities are evenly distributed.

    The bucket is the 8-byte BLAKE2b digest (RFC 7693) of model and entity as text, modulo 10,000. It depends on the
    model, so that models do not all start with the same entities, but not on the version, so that an entity keeps its
    bucket.

    Args:
        model: name of the model.
        entity: text, or an integer, which counts as the text of its decimal digits.
    """
    digest = hashlib.blake2b(f"{model}\x00{entity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS / (BUCKETS / 100)


def is_routed_to_challenger(model: str, entity: object, percent: float) -> bool:
    """Return whether a canary for a share of the entities, in percent, is live for an entity; False for a missing
    entity."""
    return entity is not None and bucket_of(model, entity) < percent


def route_to_challenger(model: str, entities: pd.Series, percent: float) -> np.ndarray:
    """Return `is_routed_to_challenger` for each row, bool of shape (rows,)."""
    if not percent:
        return np.zeros(len(entities), dtype=bool)
    codes, distinct = factorize(entities)
    is_routed = np.array([is_routed_to_challenger(model, entity, percent) for entity in distinct], dtype=bool)
    return np.append(is_routed, False)[codes]
