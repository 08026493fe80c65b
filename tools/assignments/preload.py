"""What a submission finds loaded already: importing torch takes seconds, a fork milliseconds.

What an assignment blocks may not be loaded here.
"""


def everything() -> None:
    """Imports what assignments need, on one thread, with figures that no window shows."""
    import IPython.core.interactiveshell  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import numpy  # noqa: F401
    import otter  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch.distributed.tensor  # noqa: F401, torch.testing.assert_close does, at its first call

    # Several threads that wait for a core use up a submission's processor time.
    torch.set_num_threads(1)
