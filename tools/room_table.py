# SPDX-License-Identifier: Apache-2.0
"""The rooms of the source tree, read from the rows of cmake/Layers.cmake."""

import re

ROW = re.compile(r"^mc_room\(([^)]*)\)", re.MULTILINE)


class Room:
    def __init__(self, words):
        self.folder = words[0]
        self.needs_torch = "TORCH" in words
        self.sees = words[words.index("SEES") + 1:] if "SEES" in words else []


def read(root):
    """The rows by folder, in their order."""
    text = (root / "cmake/Layers.cmake").read_text()
    rooms = [Room(words.split()) for words in ROW.findall(text)]
    return {room.folder: room for room in rooms}
