package index

// version is this schema's; another one's file is thrown away. Raise it with
// every change here, and when the numbers of flow.Verdict change.
const version = 3

// application marks the file as ours ("GhIx").
const application = 0x47684978

// schema's tables are clustered by what they are asked for. Started and id
// order flows; "kinds" saves the same three strings in every row; a null
// "served" is the kind's model.
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
CREATE TABLE kinds (
	kind     INTEGER PRIMARY KEY,
	provider TEXT NOT NULL,
	api      TEXT NOT NULL,
	model    TEXT NOT NULL,
	UNIQUE (provider, api, model)
);
CREATE TABLE flows (
	id              TEXT PRIMARY KEY,
	started         INTEGER NOT NULL,
	key             INTEGER NOT NULL,
	kind            INTEGER NOT NULL,
	intent          INTEGER NOT NULL,
	intent_segment  INTEGER NOT NULL,
	intent_offset   INTEGER NOT NULL,
	agent           INTEGER NOT NULL,
	verdict         INTEGER NOT NULL,
	turn            INTEGER NOT NULL,
	retry           INTEGER NOT NULL,
	request_bytes   INTEGER NOT NULL,
	outcome         INTEGER NOT NULL,
	outcome_segment INTEGER NOT NULL,
	outcome_offset  INTEGER NOT NULL,
	state           TEXT NOT NULL,
	status          INTEGER NOT NULL,
	served          TEXT,
	response_bytes  INTEGER NOT NULL,
	input           INTEGER NOT NULL,
	output          INTEGER NOT NULL,
	cache_read      INTEGER NOT NULL,
	cache_write     INTEGER NOT NULL,
	cache_write_1h  INTEGER NOT NULL,
	reasoning       INTEGER NOT NULL,
	estimated       INTEGER NOT NULL,
	tier            TEXT NOT NULL,
	cost            REAL,
	duration        INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX flows_started ON flows (started);
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
