"""Imported once, by the process that submissions are forked from.

Importing torch takes seconds and a fork milliseconds, so a submission starts with everything
loaded that assignments need. What an assignment blocks may not be loaded here.
"""

import ctypes
import os
import sys

# One thread each: several that wait for a core use up a submission's processor time.
os.environ |= {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}

import IPython.core.interactiveshell  # noqa: E402, F401
import matplotlib.pyplot  # noqa: E402, F401
import numpy  # noqa: E402, F401
import otter  # noqa: E402, F401
import scipy.stats  # noqa: E402, F401
import torch  # noqa: E402, F401

torch.set_num_threads(1)

# An orphan of a submission becomes a child of this process, where the sandbox finds it. (Linux;
# elsewhere orphans that leave their process group are not found.)
PR_SET_CHILD_SUBREAPER = 36
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
