"""What a secret redraws, one module per assignment: ``draw(rng) -> {cell id: new source}``."""
