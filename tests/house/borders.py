"""borders.py ROOT: fails when an #include under ROOT crosses a border that borders.txt does not open.

Also fails when a folder with code has no README.md or a file has more than 500 lines, and names the files that have
more than 400. Reads the sources as text: an #include counts wherever the preprocessor might see it.
"""
import fnmatch
import posixpath
import re
import sys
from pathlib import Path

CODE = {".h", ".hpp", ".cpp", ".cc", ".c"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
LONG, TOO_LONG = 400, 500


class Table:
    """borders.txt: rooms = {room: what it may include}, libraries = [(patterns, rooms)]."""

    def __init__(self, text):
        self.rooms, self.libraries = {}, []
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].replace(":", " : ").split()
            if not words:
                continue
            kind, colon = words[0], words.index(":") if ":" in words else -1
            if kind == "room" and colon == 2:
                self.rooms[words[1]] = words[3:]
            elif kind == "library" and colon > 1:
                self.libraries.append((words[1:colon], words[colon + 1:]))
            else:
                raise SystemExit(f"borders.txt:{number}: not understood: {line}")

    def room_of(self, path):
        """The longest room that `path` lies in, or None."""
        inside = [room for room in self.rooms if path.startswith(room + "/")]
        return max(inside, key=len, default=None)

    def may_include(self, room, header):
        allowed = self.rooms[room]
        return "*" in allowed or header in allowed or self.room_of(header) in [room, *allowed]

    def rooms_for_library(self, header):
        """The rooms that may reach a library's header; None if anyone may."""
        for patterns, rooms in self.libraries:
            if any(fnmatch.fnmatchcase(header, pattern) for pattern in patterns):
                return rooms
        return None


def find_sources(root, table):
    """{path relative to root: text} of every source in the rooms' folders."""
    tops = {room.split("/")[0] for room in table.rooms}
    files = (path for top in sorted(tops) for path in sorted((root / top).rglob("*")))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
            for path in files if path.suffix in CODE and path.is_file()}


def find_includes(sources):
    """{path: [(line, header)]}, a header of ours as its path from the root."""
    includes = {path: [] for path in sources}
    for path, text in sources.items():
        for match in INCLUDE.finditer(text):
            quote, header = match.groups()
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), header))
            if quote == '"' and beside in sources:
                header = beside
            includes[path].append((text.count("\n", 0, match.start(2)) + 1, header))
    return includes


def libraries_behind(header, includes, seen):
    """`header` itself if it is a library's; if it is ours, those that it includes, directly or through others of ours."""
    if header in seen:
        return set()
    seen.add(header)
    if header not in includes:
        return {header}
    return set().union(*(libraries_behind(below, includes, seen) for _, below in includes[header]))


def check_includes(sources, table):
    includes = find_includes(sources)
    for path, found in includes.items():
        room = table.room_of(path)
        if room is None:
            yield f"{path}: lies in no room; add its folder to borders.txt"
            continue
        for line, header in found:
            if table.room_of(header) and not table.may_include(room, header):
                yield f"{path}:{line}: {room} may not include {header}"
            for library in sorted(libraries_behind(header, includes, set())):
                rooms = table.rooms_for_library(library)
                if rooms is not None and room not in rooms:
                    way = f" (through {header})" if header != library else ""
                    yield f"{path}:{line}: {room} may not reach <{library}>{way}; only {' '.join(rooms)} may"


def check_folders(root, sources):
    for folder in sorted({Path(path).parent.as_posix() for path in sources}):
        if not (root / folder / "README.md").is_file():
            yield f"{folder}/: has code and no README.md"


def check_lengths(sources):
    for path, text in sources.items():
        if text.count("\n") > TOO_LONG:
            yield f"{path}: {text.count(chr(10))} lines; a file of more than {TOO_LONG} is too long"


def check(root, table_text):
    """Every complaint about the tree under `root`."""
    table = Table(table_text)
    sources = find_sources(root, table)
    return [*check_includes(sources, table), *check_folders(root, sources), *check_lengths(sources)], sources


def main():
    root = Path(sys.argv[1])
    complaints, sources = check(root, (Path(__file__).parent / "borders.txt").read_text(encoding="utf-8"))
    for path, text in sources.items():
        if LONG < text.count("\n") <= TOO_LONG:
            print(f"note: {path}: {text.count(chr(10))} lines")
    for complaint in complaints:
        print(complaint)
    print(f"{len(sources)} sources, {len(complaints)} complaints")
    return bool(complaints or not sources)


if __name__ == "__main__":
    sys.exit(main())
