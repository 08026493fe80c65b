"""Data for the course: quick sets that need no network, and full sets read from disk."""

from mixup_lib.basics.lazy import lazy
from mixup_lib.datasets.audio import fsdd
from mixup_lib.datasets.download import DownloadError
from mixup_lib.datasets.embedded import PHOTOGRAPHS, digits, photographs
from mixup_lib.datasets.files import cifar10, data_root
from mixup_lib.datasets.noise import corrupt_labels
from mixup_lib.datasets.pairs import number_words, numbers
from mixup_lib.datasets.pretrained import efficientnet_file, minilm_file
from mixup_lib.datasets.shapes import textures
from mixup_lib.datasets.splits import Splits, stratified_split
from mixup_lib.datasets.spoken import syllables
from mixup_lib.datasets.tables import UCI, diabetes, standardised, uci
from mixup_lib.datasets.text import Texts, imdb, rotten_tomatoes, sentences, trec
from mixup_lib.datasets.video import moving_digits

# Pictures of one's own bring torchvision.
__getattr__, __dir__ = lazy(__name__, {"mixup_lib.datasets.folder": ("image_folder",)})

__all__ = [
    "DownloadError",
    "PHOTOGRAPHS",
    "Splits",
    "Texts",
    "UCI",
    "cifar10",
    "corrupt_labels",
    "data_root",
    "diabetes",
    "digits",
    "efficientnet_file",
    "fsdd",
    "image_folder",
    "imdb",
    "minilm_file",
    "moving_digits",
    "number_words",
    "numbers",
    "photographs",
    "rotten_tomatoes",
    "sentences",
    "standardised",
    "stratified_split",
    "syllables",
    "textures",
    "trec",
    "uci",
]
