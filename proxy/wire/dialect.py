"""What a client and we agreed on at login; it only answers questions about it."""

from dataclasses import dataclass

from mysql_mimic.types import Capabilities

from proxy.wire.charsets import Charset


@dataclass(frozen=True, slots=True)
class Dialect:
    """`charset` is the client's: its statements are read in it, text is sent in it."""

    capabilities: Capabilities
    charset: Charset
    reports: bool = False
    """The client reads MariaDB's progress reports."""

    @property
    def deprecates_eof(self) -> bool:
        """CLIENT_DEPRECATE_EOF: no EOF behind definitions, an OK packet behind rows."""
        return Capabilities.CLIENT_DEPRECATE_EOF in self.capabilities

    @property
    def sends_files(self) -> bool:
        """CLIENT_LOCAL_FILES: the client sends a file of its own when it is asked for one."""
        return Capabilities.CLIENT_LOCAL_FILES in self.capabilities

    @property
    def several_statements(self) -> bool:
        """CLIENT_MULTI_STATEMENTS: one text may hold more than one statement."""
        return Capabilities.CLIENT_MULTI_STATEMENTS in self.capabilities
