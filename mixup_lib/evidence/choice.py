"""Of a method's tries the one that counts, chosen on validation data."""

from collections.abc import Iterable, Mapping
from statistics import mean

__all__ = ["best_tries"]


def best_tries(records: Iterable[Mapping], *metrics: str) -> list[dict]:
    """Of each method the records of its best try, under the method's name.

    The best try has the lowest mean on the validation part, over the seeds that all tries of the
    method have. The test part has no say in it.

    Args:
        records: Of one experiment whose methods are tries, named ``METHOD-STRENGTH``.
        metrics: Of ``metrics["validation"]``, the smaller the better; the second decides between
            equals of the first, and so on. None given means ``"nll"``.

    Returns:
        Copies of records in which ``method`` is METHOD, and ``try`` the name of the try; for
        ``Comparison.from_records``. Methods come in the order of their first records.

    Raises:
        KeyError: A record has no such metric on a validation part.
        ValueError: The tries of a method share no seed, so that none can be called the best.
    """
    found: dict[str, dict[str, dict[int, Mapping]]] = {}
    for record in records:
        tries = found.setdefault(record["method"].rpartition("-")[0], {})
        tries.setdefault(record["method"], {})[record["seed"]] = record
    return [
        record | {"method": method, "try": record["method"]}
        for method, tries in found.items()
        for record in tries[_best(tries, metrics or ("nll",))].values()
    ]


def _best(tries: dict[str, dict[int, Mapping]], metrics: tuple[str, ...]) -> str:
    seeds = set.intersection(*map(set, tries.values()))
    if not seeds:
        raise ValueError(f"the tries {list(tries)} share no seed; record each with the same seeds")

    def scores(name: str) -> list[float]:
        parts = [tries[name][seed]["metrics"]["validation"] for seed in seeds]
        return [mean(part[metric] for part in parts) for metric in metrics]

    return min(tries, key=scores)
