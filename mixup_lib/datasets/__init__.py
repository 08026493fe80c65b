"""Images for the course: quick sets that need no network, and full sets read from disk."""

from mixup_lib.datasets.download import DownloadError
from mixup_lib.datasets.embedded import PHOTOGRAPHS, digits, photographs
from mixup_lib.datasets.files import cifar10, data_root, fashion_mnist
from mixup_lib.datasets.folder import image_folder
from mixup_lib.datasets.shapes import textures
from mixup_lib.datasets.splits import Splits, stratified_split

__all__ = ["PHOTOGRAPHS", "DownloadError", "Splits", "cifar10", "data_root", "digits",
           "fashion_mnist", "image_folder", "photographs", "stratified_split", "textures"]
