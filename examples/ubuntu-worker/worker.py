"""Makes a thumbnail of each picture in the folder that PICTURES names."""

import os
import pathlib

from PIL import Image

for path in pathlib.Path(os.environ["PICTURES"]).glob("*.jpg"):
    with Image.open(path) as picture:
        picture.thumbnail((256, 256))
        picture.save(path.with_suffix(".thumbnail.jpg"))
