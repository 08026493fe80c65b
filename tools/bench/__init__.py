"""What the library costs: `make bench` measures it, book/speed.md shows what was recorded."""
