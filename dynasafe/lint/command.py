"""`dynasafe lint`: files in, a report out."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dynasafe.lint.files import Configured, decode, nearest_config, python_files, read_config
from dynasafe.lint.settings import Selection, SettingsError, codes
from dynasafe.lint.source import Source

if TYPE_CHECKING:
    from dynasafe.lint.baseline import Baseline
    from dynasafe.lint.engine import FileReport
    from dynasafe.lint.formats import Located, Totals
    from dynasafe.lint.module import RuleSettings

_FORMATS = ("text", "concise", "json", "sarif", "github")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="files and folders; - is stdin"
    )
    select = parser.add_argument_group("what is reported")
    for name, text in (
        ("--select", "only these codes: DYS310, or a prefix, DYS33"),
        ("--extend-select", "these codes too; risk: all of that level"),
        ("--ignore", "not these codes"),
    ):
        select.add_argument(name, metavar="CODES", help=text)
    select.add_argument("--baseline", metavar="FILE", help="not the findings in this file")
    select.add_argument(
        "--write-baseline", action="store_true", help="write all findings to the baseline"
    )
    fixes = parser.add_argument_group("fixes")
    fixes.add_argument("--fix", action="store_true", help="apply the safe fixes")
    fixes.add_argument(
        "--unsafe-fixes", action="store_true", help="apply also fixes that change working code"
    )
    fixes.add_argument(
        "--migrate", action="store_true", help="rewrite update_item calls to UpdateBuilder"
    )
    fixes.add_argument("--diff", action="store_true", help="show the changes, and write nothing")
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=_FORMATS, default="text")
    output.add_argument("--output", metavar="FILE", help="write the report there")
    output.add_argument(
        "--statistics", action="store_true", help="count by code, and unchecked parts"
    )
    output.add_argument("--exit-zero", action="store_true", help="status 0 even with findings")
    output.add_argument(
        "--exit-non-zero-on-fix", action="store_true", help="status 1 if something was fixed"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="instead of pyproject.toml")
    parser.add_argument("--stdin-filename", default="stdin.py", metavar="NAME")
    parser.add_argument("--list-rules", action="store_true", help="all codes, with their levels")


def run(given: argparse.Namespace) -> int:
    """The exit status: 0 without findings, 1 with findings, 2 if a file could not be checked."""
    try:
        return _run(given)
    except SettingsError as error:
        sys.stderr.write(f"dynasafe lint: {error}\n")
        return 2


def _run(given: argparse.Namespace) -> int:
    from dynasafe.lint import formats

    if given.list_rules:
        sys.stdout.write(_rules())
        return 0
    session = _Session(given)
    for name, path in session.files():
        session.look_at(name, path)
    problems, totals = session.problems, session.totals
    for line in [*totals.failures, *session.left]:
        sys.stderr.write(f"{line}\n")
    if given.migrate:
        sys.stderr.write(f"Migrated {session.migrated_count}, left {len(session.left)}.\n")
    if given.write_baseline:
        session.write_baseline()
        return 2 if totals.failures else 0
    if given.diff:
        sys.stdout.write("".join(session.diffs))
        is_clean = not session.diffs
    else:
        stream_is_tty = given.output is None and sys.stdout.isatty()
        colour = stream_is_tty and "NO_COLOR" not in os.environ
        shown = session.shown(given.format)
        text = formats.FORMATS[given.format](shown, totals, colour)
        if given.statistics:
            text = formats.statistics(problems, totals)
        if given.output is not None:
            Path(given.output).write_text(text, "utf-8")
        elif not session.has_written_text:
            sys.stdout.write(text)
        is_clean = not problems
    if totals.failures:
        return 2
    if given.exit_non_zero_on_fix and totals.fixed_count:
        return 1
    return 0 if is_clean or given.exit_zero else 1


def _rules() -> str:
    from dynasafe.findings.catalog import EXPLANATIONS
    from dynasafe.lint.engine import RULES

    levels = {code: each.level for code, each in RULES.items()} | {"DYS399": "risk"}
    rows = [
        f"{code}  {level:<7}  {EXPLANATIONS[code].title}\n"
        for code, level in sorted(levels.items())
    ]
    return "".join([*rows, "DYS1.., DYS2..  error  what `dynasafe check` finds in a request\n"])


@dataclass
class _Session:
    """One run of the command over all its files."""

    given: argparse.Namespace
    problems: list[Located] = field(default_factory=list)
    suppressed: list[Located] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    reports: list[tuple[str, FileReport]] = field(default_factory=list)
    has_written_text: bool = False
    migrated_count: int = 0
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from dynasafe.lint.formats import Totals

        given = self.given
        self._config: Configured | None = (
            None if given.config is None else read_config(given.config.resolve())
        )
        here = self._config or nearest_config(Path.cwd())
        self.totals: Totals = Totals(pages=here.settings.pages)
        self._select = _listed(given.select)
        self._extend = _listed(given.extend_select) or ()
        self._ignore = _listed(given.ignore)
        self._baseline_file = self._find_baseline()
        self._baseline = self._read_baseline()

    # Files and settings

    def files(self) -> Iterator[tuple[str, Path | None]]:
        """The name to show for each file, and the file; None is standard input."""
        if "-" in self.given.paths:
            yield self.given.stdin_filename, None
        paths = [Path(each) for each in self.given.paths if each != "-"]
        named = {path for path in paths if path.is_file()}
        for path in self._python_files(paths):
            config = self._config_of(path)
            relative = _relative(path, config.folder)
            if path in named or not config.settings.is_excluded(relative):
                yield path.as_posix(), path

    def _python_files(self, paths: list[Path]) -> Iterator[Path]:
        """Each file once. Warns about a folder that has none."""
        seen: set[Path] = set()
        for given in paths:
            files = python_files(given)
            if not files:
                sys.stderr.write(f"warning: no Python files in {str(given)!r}\n")
            yield from (each for each in files if each not in seen)
            seen.update(files)

    def _config_of(self, path: Path) -> Configured:
        return self._config or nearest_config(path.resolve().parent)

    def _selection(self, config: Configured, relative: str) -> Selection:
        own = config.settings.selection_for(relative)
        select = (own.select if self._select is None else self._select) + self._extend
        ignore = own.ignore if self._ignore is None else own.ignore + self._ignore
        return Selection(select=select, ignore=ignore)

    # The baseline

    def _find_baseline(self) -> Path | None:
        if self.given.baseline is not None:
            return Path(self.given.baseline).resolve()
        config = self._config or nearest_config(Path.cwd())
        name = config.settings.baseline
        if name is None and self.given.write_baseline:
            return Path("dynasafe-baseline.json").resolve()
        return None if name is None else config.folder / name

    def _read_baseline(self) -> Baseline | None:
        from dynasafe.lint.baseline import read_baseline

        file = self._baseline_file
        if file is None or self.given.write_baseline:
            return None
        try:
            return read_baseline(file.read_text("utf-8"))
        except OSError as error:
            raise SettingsError(
                f"the baseline cannot be read: {error}. Fix: write it with --write-baseline"
            ) from error

    def write_baseline(self) -> None:
        from dynasafe.lint.baseline import write_baseline

        assert self._baseline_file is not None
        text = write_baseline(self.reports)
        self._baseline_file.write_text(text, "utf-8")
        count = sum(len(each.problems) for _, each in self.reports)
        sys.stdout.write(f"Wrote {count} findings to {self._baseline_file.name}.\n")

    # One file

    def look_at(self, name: str, path: Path | None) -> None:
        """Check one file, and fix it if the options say so."""
        from dynasafe.lint import engine

        self.totals.file_count += 1
        content = b""
        try:
            content = sys.stdin.buffer.read() if path is None else path.read_bytes()
            if not engine.may_have_calls(content):
                self._pass_on(path, content)
                return
            text, encoding = decode(content)
            source = Source(text, name)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            self.totals.failures.append(f"{name}: cannot be read: {error}")
            self._pass_on(path, content)
            return
        try:
            report = self._check(source, path, encoding)
        except Exception as error:
            # Go on with other files; the exit status says that this one was not checked.
            self.totals.failures.append(
                f"{name}: not checked: {type(error).__name__}: {error}. This is a bug in "
                "dynasafe; please report it"
            )
            self._pass_on(path, content)
            return
        self._count(report, name, path)

    def _pass_on(self, path: Path | None, content: bytes) -> None:
        """With --fix, write standard input to standard output."""
        if path is None and self._is_fixing and not self.given.diff:
            sys.stdout.buffer.write(content)
            self.has_written_text = True

    @property
    def _is_fixing(self) -> bool:
        given = self.given
        return bool(given.fix or given.unsafe_fixes or given.migrate or given.diff)

    def _check(self, source: Source, path: Path | None, encoding: str) -> FileReport:
        from dynasafe.lint import engine
        from dynasafe.lint.fixes import fix_source

        config = self._config_of(path or Path(source.path))
        relative = _relative(path or Path(source.path), config.folder)
        selection = self._selection(config, relative)
        rules = config.settings.rules
        if not self._is_fixing:
            return engine.check_source(source, selection=selection, settings=rules)
        before = source.text
        given = self.given
        if given.migrate:
            source = self._migrate(source, rules)
        if given.migrate and not (given.fix or given.unsafe_fixes):
            report, after = (
                engine.check_source(source, selection=selection, settings=rules),
                source.text,
            )
        else:
            fixed = fix_source(
                source, unsafe=given.unsafe_fixes, selection=selection, settings=rules
            )
            self.totals.fixed_count += fixed.count
            report, after = fixed.report, fixed.text
        self._keep(source.path, path, before, after, encoding)
        return report

    def _migrate(self, source: Source, settings: RuleSettings) -> Source:
        """The source with UpdateBuilder; reports what is left."""
        from dynasafe.lint.migrate import migrate_source

        migrated = migrate_source(source, settings)
        self.migrated_count += migrated.count
        for each in migrated.left:
            place = source.place(each.offset)
            self.left.append(f"{source.path}:{place.line}: not migrated: {each.reason}")
        return Source(migrated.text, source.path)

    def _keep(self, name: str, path: Path | None, before: str, after: str, encoding: str) -> None:
        """Write the fixed file, or keep the difference for the report."""
        if self.given.diff:
            lines = difflib.unified_diff(
                before.splitlines(keepends=True),
                after.splitlines(keepends=True),
                fromfile=name,
                tofile=name,
            )
            self.diffs += [each if each.endswith("\n") else f"{each}\n" for each in lines]
        elif path is None:
            sys.stdout.buffer.write(after.encode(encoding))
            self.has_written_text = True
        elif after != before:
            path.write_bytes(after.encode(encoding))

    def _count(self, report: FileReport, name: str, path: Path | None) -> None:
        from dynasafe.lint.formats import Located

        totals = self.totals
        totals.call_count += report.call_count
        totals.partly_count += report.partly_count
        totals.unseen.update(report.unseen)
        base = Path.cwd() if self._baseline_file is None else self._baseline_file.parent
        key = _relative(path or Path(name), base)
        self.reports.append((key, report))
        pairs = list(zip(report.problems, report.names, strict=True))
        if self._baseline is not None:
            pairs, old = self._baseline.split(key, report)
            totals.known_count += len(old)
            self.suppressed += [
                Located(
                    path=name, source=report.source, problem=each, name="", suppressed_by="external"
                )
                for each in old
            ]
        self.problems += [
            Located(path=name, source=report.source, problem=problem, name=function)
            for problem, function in pairs
        ]
        self.suppressed += [
            Located(
                path=name, source=report.source, problem=each, name="", suppressed_by="inSource"
            )
            for each in report.suppressed
        ]

    def shown(self, output_format: str) -> list[Located]:
        """The problems that a format reports. SARIF has suppressed ones too."""
        if self._baseline is not None:
            self.totals.gone_count = self._baseline.gone
        if output_format == "sarif":
            return self.problems + self.suppressed
        return self.problems


def _listed(text: str | None) -> tuple[str, ...] | None:
    return (
        None if text is None else codes([each.strip() for each in text.split(",") if each.strip()])
    )


def _relative(path: Path, folder: Path) -> str:
    """The path with slashes, relative to the folder if it is inside."""
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return path.as_posix()
