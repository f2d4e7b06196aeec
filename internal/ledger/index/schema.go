package index

// version is this schema's; another one's file is thrown away. Raise it with
// every change here, and of what the ledger puts into traits.
const version = 6

// application marks the file as ours ("GhIx").
const application = 0x47684978

// schema's tables are clustered by what they are asked for: flows by when they
// started, so that a list of the newest that fit reads pages one behind the
// other and stops. The columns that conditions ask for come first in a row.
const schema = `
CREATE TABLE life (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	dirty INTEGER NOT NULL,
	boot  TEXT NOT NULL
);
CREATE TABLE mark (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	entry   INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL,
	last    INTEGER NOT NULL,
	tag     BLOB NOT NULL
);
CREATE TABLE traits (
	trait INTEGER PRIMARY KEY,
	data  BLOB NOT NULL
);
CREATE TABLE flows (
	started         INTEGER NOT NULL,
	id              TEXT NOT NULL,
	key             INTEGER NOT NULL,
	about           INTEGER NOT NULL,
	path            INTEGER NOT NULL,
	ending          INTEGER NOT NULL,
	outcome         INTEGER NOT NULL,
	agent           INTEGER NOT NULL,
	turn            INTEGER NOT NULL,
	retry           INTEGER NOT NULL,
	cost            REAL,
	input           INTEGER NOT NULL,
	output          INTEGER NOT NULL,
	cache_read      INTEGER NOT NULL,
	cache_write     INTEGER NOT NULL,
	reasoning       INTEGER NOT NULL,
	request_bytes   INTEGER NOT NULL,
	response_bytes  INTEGER NOT NULL,
	duration        INTEGER NOT NULL,
	first_byte      INTEGER NOT NULL,
	cache_write_1h  INTEGER NOT NULL,
	estimated       INTEGER NOT NULL,
	intent          INTEGER NOT NULL,
	intent_segment  INTEGER NOT NULL,
	intent_offset   INTEGER NOT NULL,
	outcome_segment INTEGER NOT NULL,
	outcome_offset  INTEGER NOT NULL,
	PRIMARY KEY (started, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX flows_id ON flows (id);
CREATE INDEX flows_key ON flows (key, started);
CREATE INDEX flows_open ON flows (id) WHERE outcome = 0;
CREATE TABLE parts (
	flow    TEXT NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL,
	PRIMARY KEY (flow, segment, offset)
) WITHOUT ROWID;
CREATE TABLE sessions (
	key  INTEGER PRIMARY KEY,
	tag  BLOB NOT NULL,
	name BLOB NOT NULL,
	last INTEGER NOT NULL
);
CREATE INDEX sessions_tag ON sessions (tag);
CREATE INDEX sessions_last ON sessions (last);
CREATE TABLE objects (
	key     INTEGER NOT NULL,
	first   INTEGER NOT NULL,
	count   INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	data    BLOB NOT NULL,
	PRIMARY KEY (key, first)
);
CREATE TABLE journal (
	entry   INTEGER PRIMARY KEY,
	reading INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL
);
CREATE TABLE secrets (
	owner   INTEGER NOT NULL,
	entry   INTEGER NOT NULL,
	ref     INTEGER NOT NULL,
	key     INTEGER NOT NULL,
	segment INTEGER NOT NULL,
	offset  INTEGER NOT NULL,
	PRIMARY KEY (owner, entry, ref)
) WITHOUT ROWID;
`
