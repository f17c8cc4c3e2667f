# SPDX-License-Identifier: Apache-2.0
"""One class per error code (docs/error-handling.md); the message is the command line's."""

from typing import ClassVar


class Error(Exception):
    """What every call of this package may raise; `code` is the stable name."""

    code: ClassVar[str] = "error"


class Usage(Error):
    """An argument or a setting is wrong; the message names it."""

    code = "usage"


class InvalidInput(Error):
    """A file, text or name that was given cannot be used; also a document that is not there."""

    code = "invalid_input"


class Io(Error):
    """The operating system refused."""

    code = "io"


class Corruption(Error):
    """Stored bytes fail their checksum or their rules: `megacontext verify`."""

    code = "corruption"


class OutOfSpace(Error):
    """Disk or map full; the last commit is intact."""

    code = "out_of_space"


class FormatVersion(Error):
    """A store or file of another format version."""

    code = "format_version"


class ModelMismatch(Error):
    """A store that was made with another base model or gist encoder."""

    code = "model_mismatch"


class OverBudget(Error):
    """The working context, or the model's, cannot hold what was asked."""

    code = "over_budget"


class StaleIndex(Error):
    """A derived index does not match the store."""

    code = "stale_index"


class ModelFailed(Error):
    """The base model failed."""

    code = "model"


class Locked(Error):
    """Another process, or another Memory of this one, writes the store."""

    code = "locked"


class Key(Error):
    """An encrypted store or file, and no key or not the right one."""

    code = "key"


class Cancelled(Error):
    """Interrupted; what was committed stays."""

    code = "cancelled"


class Internal(Error):
    """A fault of MegaContext itself: worth a report."""

    code = "internal"


CLASSES: dict[str, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}


def error_of(code: str, message: str) -> Error:
    """The error of a code; the compiled module raises what this returns."""
    return CLASSES[code](message)
