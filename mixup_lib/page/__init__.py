"""What a page shows: plots, tables, players, things to move."""

from mixup_lib.basics.lazy import lazy

__getattr__, __dir__ = lazy(
    __name__,
    {
        "mixup_lib.page.interactive": ("Widget", "beta_explorer", "mixup_slider", "sound_slider"),
        "mixup_lib.page.media": ("audio_players", "video_player"),
        "mixup_lib.page.plots": (
            "COLOURS",
            "MARKERS",
            "decision_regions",
            "interval_bars",
            "paired_dots",
            "show_images",
            "use_style",
        ),
        "mixup_lib.page.tables": ("Table",),
    },
)

__all__ = [
    "COLOURS",
    "MARKERS",
    "Table",
    "Widget",
    "audio_players",
    "beta_explorer",
    "decision_regions",
    "interval_bars",
    "mixup_slider",
    "paired_dots",
    "show_images",
    "sound_slider",
    "use_style",
    "video_player",
]
