"""Large payloads: any file through every strategy, resumed after a crash, with the embedded log and a folder of blobs."""

import os
import unittest
from pathlib import Path

from payload_cases import PayloadCases
from support import FAILED, SystemTest


class PayloadsInAFolder(PayloadCases, SystemTest):
    def setUp(self):
        super().setUp()
        self.blobs = self.folder / "blobs"

    def blob_files(self):
        return [f for f in Path(self.blobs).rglob("*") if f.is_file()]

    def stored_bytes(self):
        return size_below(self.log)

    def test_the_folder_may_move(self):
        path = self.put_claims()
        moved = self.folder / "moved"
        Path(self.blobs).rename(moved)
        self.get("kept", code=3)
        self.assert_gets("kept", path, "--blobs", moved)

    def test_what_does_not_fit_inline_is_refused(self):
        path = self.file_of(300_000_000)
        done = self.run_gopline("put", path, "--stream", "s", "--payload", "inline", "--piece-bytes", "290MB", code=FAILED)
        self.assert_one_clear_message(done, "s", "--payload chunk")


def size_below(folder):
    size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:  # it was a file of a moment
                pass
    return size


if __name__ == "__main__":
    unittest.main()
