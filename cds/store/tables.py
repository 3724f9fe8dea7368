"""The tables as they are after the last migration; portable between SQLite and PostgreSQL.

A list that is only read whole is JSON text. Every key and index that a caller can reach begins
with the site: two sites may use the same ids.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from cds.store.instant import Instant


REVISION = "0004"  # the migration these tables belong to; a test compares

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
_UUID = String(36)
_SHA256 = String(64)
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers INTEGER keys by itself

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
    Column("record", LargeBinary, nullable=False),
    Column("crs_events", Text),
    Column("icans_events", Text),
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

# What was kept, in the order it was kept, each link over the one before: append-only.
chain = Table(
    "chain",
    metadata,
    Column("site", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("id", _SHA256, nullable=False),
    Column("digest", _SHA256, nullable=False),
    Column("link", _SHA256, nullable=False),
    Index(None, "kind", "id"),
)

# Where a site's chain ends and, once old rows were removed, from where on it is kept.
chain_heads = Table(
    "chain_heads",
    metadata,
    Column("site", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("link", _SHA256, nullable=False),
    Column("kept_from", BigInteger, nullable=False),
    Column("kept_link", _SHA256, nullable=False),
)

# One reason to read a patient again; `patient` empty: not known yet.
inbox = Table(
    "inbox",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    Column("site", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("decision", _UUID),
    Index("ux_inbox_site_source_event", "site", "source", "event", unique=True),
    Index(
        "ix_inbox_waiting",
        "site",
        "patient",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index(None, "done_at"),
)

# Whose turn it is: the row that is locked while a patient is read, and not before when.
turns = Table(
    "turns",
    metadata,
    Column("site", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("not_before", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index(None, "site", "not_before", "patient"),
)

# The cohort: patients with a bispecific within the look-back, and until when they are watched.
watched = Table(
    "watched",
    metadata,
    Column("site", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("last_dose", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index(None, "site", "until"),
)

# A FHIR Subscription of ours: `id` is in its endpoint, `remote` its id at the FHIR server.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("site", Text, nullable=False),
    Column("remote", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("criteria", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("content", String(15), nullable=False),
    Column("status", String(10), nullable=False),
    Column("heartbeat_seconds", Integer),
    Column("ends_at", Instant),
    Column("last_event", BigInteger, nullable=False),
    Column("heard_at", Instant, nullable=False),
    Column("gap_from", BigInteger),
    Column("gap_at", Instant),
    Column("missing", Text, nullable=False),
    Index(None, "site", "patient"),
)

# What was written to a FHIR server about an event: once an event, changed in place.
told = Table(
    "told",
    metadata,
    Column("site", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("toxicity", String(10), primary_key=True),
    Column("onset", Instant, primary_key=True),
    Column("said", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

# One launch of the bedside app: asked, answering, open, refreshing, ended. What it holds is sealed
# with a secret only the browser has.
launches = Table(
    "launches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("site", Text, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("secret_sha256", _SHA256, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("touched_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Index(None, "ends_at"),
)

# One statement of a clinician, kept before it is sent to the FHIR server. `submission`: the form
# it was confirmed with; confirmed twice, it is the same statement.
statements = Table(
    "statements",
    metadata,
    Column("site", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("submission", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("charted_at", Instant, nullable=False),
    Column("state", String(10), nullable=False),
    Column("held_until", Instant),
    Column("ref", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Index(None, "site", "patient", "charted_at"),
)
