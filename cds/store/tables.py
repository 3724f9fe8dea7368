"""The tables as they are after the last migration; portable between SQLite and PostgreSQL.

A list that is only read whole is JSON text. Every key and index that a caller can reach begins
with the site: two sites may use the same ids.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, MetaData, String, Table, Text

from cds.store.instant import Instant


REVISION = "0001"  # the migration these tables belong to; a test compares

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
_UUID = String(36)
_SHA256 = String(64)

decisions = Table(
    "decisions",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("site", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("hook", Text, nullable=False),
    Column("hook_instance", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("evaluated_at", Instant, nullable=False),
    Column("mode", String(10), nullable=False),
    Column("protocol", Text, nullable=False),
    Column("knowledge_version", Text, nullable=False),
    Column("knowledge_sha256", _SHA256, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("source_commit", Text, nullable=False),
    Column("assessment", Text, nullable=False),
    Column("cannot_evaluate", Boolean, nullable=False),
    Column("rules", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Index(None, "evaluated_at"),
    Index(None, "site", "patient", "evaluated_at"),
    Index(None, "knowledge_sha256", "evaluated_at"),
)

# The same call repeated gives the same card uuid: unique within a decision only.
cards = Table(
    "cards",
    metadata,
    Column("decision", _UUID, ForeignKey("decisions.id"), primary_key=True),
    Column("uuid", _UUID, primary_key=True),
    Column("site", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("indicator", String(10), nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("program", Text),
    Index(None, "site", "uuid"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", _SHA256, primary_key=True),
    Column("site", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Index(None, "site", "card"),
)

jwt_ids = Table(
    "jwt_ids",
    metadata,
    Column("iss_sha256", _SHA256, primary_key=True),
    Column("jti_sha256", _SHA256, primary_key=True),
    Column("until", Instant, nullable=False),
    Index(None, "until"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("site", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("program", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("card", Text, primary_key=True),
)
