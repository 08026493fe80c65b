"""Evidence: intervals, paired comparisons, recorded runs, published figures, claims."""

from mixup_lib.basics.lazy import lazy

__getattr__, __dir__ = lazy(
    __name__,
    {
        "mixup_lib.evidence.cards": ("Card", "claim"),
        "mixup_lib.evidence.comparisons": ("GROUPS", "compared"),
        "mixup_lib.evidence.interval": ("FEWEST", "Interval"),
        "mixup_lib.evidence.literature": (
            "Reproduction",
            "beside",
            "published",
            "reproduce",
            "source",
            "sources",
        ),
        "mixup_lib.evidence.paired": ("Comparison", "compare"),
    },
)

__all__ = [
    "FEWEST",
    "GROUPS",
    "Card",
    "Comparison",
    "Interval",
    "Reproduction",
    "beside",
    "claim",
    "compare",
    "compared",
    "published",
    "reproduce",
    "source",
    "sources",
]
