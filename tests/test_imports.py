"""What importing the library needs and costs, seen in fresh processes."""

import subprocess
import sys


def test_the_core_imports_without_the_extras():
    """Nothing of text, audio or video is needed until it is called."""
    blocked = ("tokenizers", "torchtext", "soundfile", "torchaudio", "imageio", "av")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "import mixup_lib, mixup_lib.text.tokens, mixup_lib.datasets, mixup_lib.models\n"
        "import mixup_lib.audio, mixup_lib.video, mixup_lib.page.media, mixup_lib.experiments"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_library_costs_half_a_second_beyond_torch_and_its_rooms_not_much_more():
    code = (
        "import time, torch\n"
        "start = time.process_time()\n"
        "import mixup_lib\n"
        "print(time.process_time() - start)\n"
        "import mixup_lib.datasets, mixup_lib.models, mixup_lib.evidence.results, sys\n"
        "heavy = {'scipy', 'sklearn', 'pandas', 'matplotlib', 'torchvision', 'lightning',\n"
        "         'lightning_fabric', 'timm', 'transformers'}\n"
        "print(*sorted(heavy & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, *loaded = done.stdout.split()
    assert float(seconds) < 0.5
    assert not loaded
