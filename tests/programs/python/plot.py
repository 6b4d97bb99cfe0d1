"""matplotlib: figures as PNG and SVG into the directory that is granted."""
import logging
import os
import shutil
import sys
import tempfile

DIRECTORY = sys.argv[1]
# It keeps a list of fonts, which is of no interest afterwards.
os.environ["MPLCONFIGDIR"] = cache = tempfile.mkdtemp(dir=DIRECTORY)

# On a slow machine it says that the list takes a while.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

import matplotlib

matplotlib.use("agg")
matplotlib.rcParams["svg.hashsalt"] = "the same each time"
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image


def draw():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    time = np.linspace(0, 10, 500)
    for damping in (0.1, 0.3, 1):
        left.plot(time, np.exp(-damping * time) * np.cos(3 * time), label=rf"$\gamma = {damping}$")
    left.set(title="damped", xlabel="time / s", ylabel="amplitude")
    left.legend()
    image = right.imshow(np.hypot(*np.mgrid[-20:20, -20:20]), cmap="viridis")
    figure.colorbar(image)
    return figure


figure = draw()
figure.savefig(DIRECTORY + "/figure.png", dpi=80)
figure.savefig(DIRECTORY + "/figure.svg", metadata={"Date": None})
shutil.rmtree(cache)
with Image.open(DIRECTORY + "/figure.png") as image:
    print(image.format, image.size, image.mode, len(image.getcolors(1 << 20)), "colours")
print(os.path.getsize(DIRECTORY + "/figure.svg") > 10000, plt.get_fignums())
