"""Of a method's tries the one that counts, chosen on validation data."""

from collections.abc import Iterable, Mapping
from statistics import mean

__all__ = ["best_tries"]


def best_tries(records: Iterable[Mapping], metric: str = "nll") -> dict[str, list[dict]]:
    """Of each method the try with the lowest mean of a metric on the validation part.

    Args:
        records: Of one experiment whose methods are tries, named ``METHOD-STRENGTH``.
        metric: Of ``metrics["validation"]``, the smaller the better.

    Returns:
        For each method, in the order of its first record, the ``metrics`` of all runs of its best
        try. The test part has no say in it.

    Raises:
        KeyError: A record has no such metric on a validation part.
    """
    tries: dict[str, dict[str, list[dict]]] = {}
    for record in records:
        method = record["method"].rpartition("-")[0]
        tries.setdefault(method, {}).setdefault(record["method"], []).append(record["metrics"])
    return {
        method: min(found.values(), key=lambda runs: mean(r["validation"][metric] for r in runs))
        for method, found in tries.items()
    }
