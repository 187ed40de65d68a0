"""Which entities a canary is live for: a place from 0 to 100 for each, the same in the daily batch and in the scoring
service.
"""

import hashlib

import numpy as np
import pandas as pd

BUCKETS = 10_000


def bucket_of(model: str, entity: object) -> float:
    """The place of an entity, from 0 to below 100 in hundredths; entities spread evenly over all places.

    The BLAKE2b digest (RFC 7693) of 8 bytes of model and entity as text, modulo 10,000. The model is in it so that the
    same entities are not the first for every model; the version is not, so that an entity keeps its place.

    Args:
        model: name of the model.
        entity: text, or an integer, which counts as its decimal digits.
    """
    digest = hashlib.blake2b(f"{model}\x00{entity}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS / (BUCKETS / 100)


def is_routed_to_challenger(model: str, entity: object, percent: float) -> bool:
    """Whether a canary for a share of the entities, in percent, is live for an entity; never for one that is
    missing.
    """
    return entity is not None and bucket_of(model, entity) < percent


def route_to_challenger(model: str, entities: pd.Series, percent: float) -> np.ndarray:
    """`is_challengers` for each row, bool of shape (rows,)."""
    if not percent:
        return np.zeros(len(entities), dtype=bool)
    codes, distinct = pd.factorize(entities)
    of_distinct = np.array([is_routed_to_challenger(model, entity, percent) for entity in distinct], dtype=bool)
    return np.append(of_distinct, False)[codes]
