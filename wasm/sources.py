"""Obtain, verify, unpack and patch the pinned third-party sources of `wasm/upstream.toml`.

pip does the downloading, from whatever index it is configured for. It checks the pinned hash before it runs anything of
a source distribution; the hash is checked again here before a file is unpacked.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from wasm.cache import digest, sha256, staged_directory, write_atomically
from wasm.errors import BuildError

TABLE = Path(__file__).resolve().parent / "upstream.toml"
MAX_FILE_BYTES = 16 << 20


@dataclass(frozen=True)
class Patch:
    """One change to an upstream file; `anchor` occurs exactly once in it."""

    source: str
    file: str
    anchor: str
    mode: Literal["replace", "before", "after"]
    text: str
    reason: str
    gain: str

    def apply(self, content: str) -> str:
        """The content with this change made.

        Raises:
            BuildError: The anchor is missing or not unique, or the mode is unknown.
        """
        count = content.count(self.anchor)
        if count != 1:
            raise BuildError(
                f"patch of {self.source} {self.file}: the anchor {self.anchor!r} occurs {count} times, not once; "
                "wasm/upstream.toml does not fit this version of the source"
            )
        parts = {"replace": self.text, "before": self.text + self.anchor, "after": self.anchor + self.text}
        if self.mode not in parts:
            raise BuildError(f"patch of {self.source} {self.file}: mode {self.mode!r} is none of {', '.join(parts)}")
        return content.replace(self.anchor, parts[self.mode])


@dataclass(frozen=True)
class Source:
    """One pinned source distribution and what is used of it.

    `module` names the WebAssembly module that it is a part of; `include` are the directories, below its own, where
    headers are; `part_licences` are names for licences of parts, with the files, among those unpacked, that hold them.
    """

    package: str
    version: str
    sha256: str
    directory: str
    files: tuple[str, ...]
    compile: tuple[str, ...]
    licence: str
    licence_file: str | None = None
    licence_header: str | None = None
    module: str = "guest"
    include: tuple[str, ...] = (".",)
    part_licences: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Package and version, as people write them."""
        return f"{self.package} {self.version}"


@dataclass(frozen=True)
class Upstream:
    """The whole of `upstream.toml`."""

    compiler: str
    compiler_version: str
    compiler_licences: dict[str, str]
    sources: tuple[Source, ...]
    patches: tuple[Patch, ...]


def load(path: Path = TABLE, module: str = "guest") -> Upstream:
    """Read what the table says of one WebAssembly module.

    Raises:
        BuildError: A patch names a file that no source unpacks, or an entry lacks a field.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        sources = tuple(_source(package, entry) for package, entry in raw["source"].items())
        patches = tuple(Patch(**entry) for entry in raw.get("patch", ()))
        compiler = raw["compiler"]
        upstream = Upstream(compiler["package"], compiler["version"], compiler["licences"], sources, patches)
    except (KeyError, TypeError) as error:
        raise BuildError(f"{path.name}: {error}") from error
    files = {(source.package, file) for source in sources for file in source.files}
    for patch in patches:
        if (patch.source, patch.file) not in files:
            raise BuildError(f"{path.name}: a patch names {patch.source} {patch.file}, which is not unpacked")
    ours = tuple(source for source in sources if source.module == module)
    packages = {source.package for source in ours}
    return dataclasses.replace(
        upstream, sources=ours, patches=tuple(patch for patch in patches if patch.source in packages)
    )


def _source(package: str, entry: dict[str, Any]) -> Source:
    for key in ("files", "compile"):
        entry[key] = tuple(entry[key])
    return Source(package=package, **entry | {"include": tuple(entry.get("include", (".",)))})


def obtain(source: Source, cache: Path) -> Path:
    """The verified archive of a source, from the cache or downloaded into it.

    Raises:
        BuildError: pip cannot deliver it, or it is not the pinned one.
    """
    archive = cache / "sdists" / f"{source.package}-{source.version}-{source.sha256[:16]}.tar.gz"
    if archive.is_file():
        verify(source, archive.read_bytes())
        return archive
    with tempfile.TemporaryDirectory(prefix="sandbox-sdist-") as scratch:
        requirements = Path(scratch, "requirements.txt")
        requirements.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n", encoding="utf-8")
        downloads = Path(scratch, "downloads")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
        command += ["--no-deps", "--no-binary", ":all:", "--require-hashes"]
        command += ["--requirement", str(requirements), "--dest", str(downloads)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
        found = sorted(downloads.glob("*.tar.gz")) if downloads.is_dir() else []
        if result.returncode or len(found) != 1:
            raise BuildError(f"cannot obtain {source.title} with pip: {_pip_reason(result.stderr)}")
        data = found[0].read_bytes()
    verify(source, data)
    write_atomically(archive, data)
    return archive


def verify(source: Source, data: bytes) -> None:
    """Check an archive against its pin.

    Raises:
        BuildError: The hash differs.
    """
    actual = sha256(data)
    if actual != source.sha256:
        raise BuildError(f"{source.title}: the archive's sha256 is {actual}, wasm/upstream.toml pins {source.sha256}")


def unpack(upstream: Upstream, cache: Path) -> dict[str, Path]:
    """Make the patched sources, those of all packages at once.

    Args:
        upstream: The table.
        cache: The build cache; archives and patched sources are kept in it.

    Returns:
        Package -> directory with its patched files and `LICENCE.txt`.

    Raises:
        BuildError: An archive cannot be had or is not the pinned one, lacks a named file, or a patch does not fit.
    """
    with ThreadPoolExecutor() as pool:
        made = pool.map(lambda source: _unpack(source, upstream.patches, cache), upstream.sources)
        return dict(zip((source.package for source in upstream.sources), made, strict=True))


def _unpack(source: Source, all_patches: tuple[Patch, ...], cache: Path) -> Path:
    patches = [patch for patch in all_patches if patch.source == source.package]
    key = digest(repr(source), *(repr(patch) for patch in patches))
    directory = cache / "sources" / f"{source.package}-{key[:32]}"
    if not directory.is_dir():
        archive = obtain(source, cache)
        with staged_directory(directory) as stage:
            for name, content in read_members(source, archive).items():
                patched = content
                for patch in patches:
                    if patch.file == name:
                        patched = patch.apply(patched)
                (stage / name).parent.mkdir(parents=True, exist_ok=True)
                (stage / name).write_text(patched, encoding="utf-8", newline="")
    return directory


def read_members(source: Source, archive: Path) -> dict[str, str]:
    """Read the named files, and nothing else, out of an archive; `LICENCE.txt` is added from where the table says.

    Raises:
        BuildError: A file is missing, not a regular file, larger than 16 MiB, or not UTF-8.
    """
    contents: dict[str, str] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = {member.name.partition("/")[2]: member for member in tar.getmembers() if member.isreg()}

            def read(name: str) -> str:
                member = members.get(name)
                file = tar.extractfile(member) if member and member.size <= MAX_FILE_BYTES else None
                if file is None:
                    raise BuildError(f"{source.title}: the archive has no usable file {name}")
                return file.read().decode("utf-8")

            for name in source.files:
                contents[name] = read(PurePosixPath(source.directory, name).as_posix())
            if source.licence_header is not None:
                contents["LICENCE.txt"] = opening_comment(contents[source.licence_header])
            elif source.licence_file is not None:
                contents["LICENCE.txt"] = read(source.licence_file)
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise BuildError(f"{source.title}: the archive cannot be read: {error}") from error
    return contents


def opening_comment(content: str) -> str:
    """The text of the comment that opens a C file, without its stars."""
    comment, end, _ = content.partition("*/")
    if not end or not comment.startswith("/*"):
        raise BuildError("the file that should open with the licence does not open with a comment")
    lines = [line.strip().removeprefix("*").strip() for line in comment.removeprefix("/*").splitlines()]
    return "\n".join(lines).strip() + "\n"


def _pip_reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    mismatch = [line for line in lines if line.startswith(("Expected sha256", "Got"))]
    if mismatch:
        return "the archive is not the pinned one: " + ", ".join(" ".join(line.split()) for line in mismatch)
    reason = " ".join(errors or lines[-1:]) or "pip gave no reason"
    hint = "is a package index reachable? A build needs it once; later ones use the cache"
    return f"{reason} ({hint})" if "No matching distribution" in reason else reason
