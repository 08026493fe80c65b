"""Data for the course: quick sets that need no network, and full sets read from disk."""

from mixup_lib.datasets.audio import fsdd
from mixup_lib.datasets.download import DownloadError
from mixup_lib.datasets.embedded import PHOTOGRAPHS, digits, photographs
from mixup_lib.datasets.files import cifar10, data_root, fashion_mnist
from mixup_lib.datasets.folder import image_folder
from mixup_lib.datasets.pairs import number_words, numbers
from mixup_lib.datasets.shapes import textures
from mixup_lib.datasets.splits import Splits, stratified_split
from mixup_lib.datasets.syllables import syllables
from mixup_lib.datasets.text import Texts, imdb, rotten_tomatoes, sentences, trec
from mixup_lib.datasets.video import moving_digits

__all__ = ["DownloadError", "PHOTOGRAPHS", "Splits", "Texts", "cifar10", "data_root", "digits",
           "fashion_mnist", "fsdd", "image_folder", "imdb", "moving_digits", "number_words",
           "numbers", "photographs", "rotten_tomatoes", "sentences", "stratified_split",
           "syllables", "textures", "trec"]
