"""Proves that borders.py finds what it is for: one tiny tree per rule, each breaking exactly that rule."""
import tempfile
import unittest
from pathlib import Path

import borders

TABLE = (Path(__file__).parent / "borders.txt").read_text(encoding="utf-8")


def complaints(files, readmes=True):
    """What borders.py says about a tree of {path: text}, with a README.md in each folder unless told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            if readmes:
                ((root / path).parent / "README.md").touch()
        return borders.check(root, TABLE)[0]


def includes(header, by):
    """Complaints about the one include of `header`, which exists, by the file `by`."""
    return complaints({by: f'#include "{header}"\n', header: "#pragma once\n"})


class Rooms(unittest.TestCase):
    def assert_refused(self, by, header):
        self.assertEqual(len(includes(header, by)), 1, f"{by} -> {header}")

    def assert_taken(self, by, header):
        self.assertEqual(includes(header, by), [], f"{by} -> {header}")

    def test_base_knows_nothing(self):
        for header in ["common/bytes/buffer.h", "common/log/log.h", "splitter/segmenter.h"]:
            self.assert_refused("common/base/a.h", header)

    def test_bytes_know_base_alone(self):
        self.assert_taken("common/bytes/a.h", "common/base/result.h")
        self.assert_refused("common/bytes/a.h", "common/media/types.h")

    def test_media_knows_no_record(self):
        self.assert_taken("common/media/a.cpp", "common/bytes/buffer.h")
        self.assert_refused("common/media/a.cpp", "common/record/header.h")

    def test_record_knows_only_medias_value_types(self):
        self.assert_taken("common/record/a.h", "common/media/types.h")
        self.assert_refused("common/record/a.h", "common/media/demuxer.h")
        self.assert_refused("common/record/a.h", "common/log/log.h")

    def test_log_and_payload_know_neither_media_nor_record(self):
        for room in ["common/log", "common/log/embedded", "common/log/kafka", "common/payload",
                     "common/payload/directory", "common/payload/s3"]:
            self.assert_taken(f"{room}/a.cpp", "common/bytes/buffer.h")
            self.assert_refused(f"{room}/a.cpp", "common/media/types.h")
            self.assert_refused(f"{room}/a.cpp", "common/record/header.h")

    def test_the_logs_port_does_not_know_its_implementations(self):
        self.assert_taken("common/log/embedded/a.cpp", "common/log/log.h")
        self.assert_refused("common/log/a.cpp", "common/log/embedded/embedded_log.h")
        self.assert_refused("common/log/embedded/a.cpp", "common/log/kafka/kafka_log.h")

    def test_splitter_analyzer_and_aggregator_never_know_one_another(self):
        rooms = ["splitter", "analyzer", "aggregator"]
        for room in rooms:
            self.assert_taken(f"{room}/a.cpp", "common/media/demuxer.h")
            self.assert_refused(f"{room}/a.cpp", "common/log/embedded/embedded_log.h")
            for other in rooms:
                if other != room:
                    self.assert_refused(f"{room}/a.cpp", f"{other}/b.h")

    def test_server_knows_the_aggregator_and_common(self):
        self.assert_taken("server/a.cpp", "aggregator/reader.h")
        self.assert_taken("server/a.cpp", "common/record/header.h")
        self.assert_refused("server/a.cpp", "splitter/segmenter.h")
        self.assert_refused("server/a.cpp", "cli/options.h")

    def test_nobody_knows_the_command_line(self):
        for room in ["common/base", "common/log", "splitter", "aggregator", "server"]:
            self.assert_refused(f"{room}/a.cpp", "cli/options.h")

    def test_command_line_benchmarks_and_tests_know_all(self):
        for room in ["cli", "bench", "tests"]:
            for header in ["splitter/a.h", "common/log/embedded/a.h", "server/a.h"]:
                self.assert_taken(f"{room}/a.cpp", header)

    def test_a_relative_path_opens_no_border(self):
        self.assertEqual(complaints({"common/base/a.h": "", "common/base/a.cpp": '#include "a.h"\n'}), [])
        self.assertEqual(len(complaints({"common/base/a.h": '#include "../bytes/b.h"\n', "common/bytes/b.h": ""})), 1)

    def test_a_header_that_does_not_exist_yet_counts(self):
        self.assertEqual(len(complaints({"splitter/a.cpp": "#include <aggregator/generated.h>\n"})), 1)

    def test_folder_in_no_room(self):
        self.assertEqual(len(complaints({"common/stray/a.h": ""})), 1)


class Libraries(unittest.TestCase):
    def assert_only(self, header, room):
        self.assertEqual(complaints({f"{room}/a.cpp": f"#include <{header}>\n"}), [])
        for other in {"common/base", "common/log", "splitter", "cli", "server"} - {room}:
            self.assertEqual(len(complaints({f"{other}/a.cpp": f"#include <{header}>\n"})), 1, f"{other} -> {header}")

    def test_each_library_has_its_room(self):
        self.assert_only("libavformat/avformat.h", "common/media")
        self.assert_only("libswscale/swscale.h", "common/media")
        self.assert_only("sqlite3.h", "common/log/embedded")
        self.assert_only("librdkafka/rdkafka.h", "common/log/kafka")
        self.assert_only("prometheus/counter.h", "common/metrics")
        self.assert_only("CLI/CLI.hpp", "cli")

    def test_quotes_and_spaces_hide_nothing(self):
        self.assertEqual(len(complaints({"splitter/a.cpp": '#  include "sqlite3.h"\n'})), 1)

    def test_a_public_header_does_not_smuggle_a_library(self):
        found = complaints({
            "common/media/handles.h": 'extern "C" {\n#include <libavutil/frame.h>\n}\n',
            "common/media/demuxer.h": '#include "common/media/handles.h"\n',
            "splitter/a.cpp": '#include "common/media/demuxer.h"\n',
        })
        self.assertEqual(found, ["splitter/a.cpp:1: splitter may not reach <libavutil/frame.h> (through "
                                 "common/media/demuxer.h); only common/media common/media/frames bench tests tools/camera may"])


class Folders(unittest.TestCase):
    def test_code_needs_a_readme(self):
        self.assertEqual(complaints({"splitter/a.cpp": ""}, readmes=False), ["splitter/: has code and no README.md"])

    def test_a_file_may_be_long_but_not_too_long(self):
        self.assertEqual(complaints({"splitter/a.cpp": "\n" * 500}), [])
        self.assertEqual(len(complaints({"splitter/a.cpp": "\n" * 501})), 1)


if __name__ == "__main__":
    unittest.main()
