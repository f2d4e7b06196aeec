// Package index keeps where the ledger's flows, answers and objects stand, so
// that listing and look-up needn't read every segment. It is derived data: all
// of it comes from the segments and can be made anew from them, so it trades
// durability for speed and throws itself away when in doubt.
//
// It holds metadata only. It never sees content, and names (principals,
// sessions) reach it sealed or as keyed ids.
package index

import (
	"github.com/workingagents/gatehouse/internal/flow"
)

// Pos is where an entry's frame starts. Segment 0 is nowhere.
type Pos struct {
	Segment uint64
	Offset  int64
}

// Flow is a flow's row.
type Flow struct {
	ID           flow.ID
	Intent       uint64 // entry number
	IntentAt     Pos
	Outcome      uint64 // entry number; 0: still open
	OutcomeAt    Pos
	Key          uint64 // session key id
	Agent        uint64 // trait of the sub-agent; 0: none
	Started      int64  // Unix ms
	About        uint64 // trait of the intent
	Path         uint64 // trait of the path
	Turn         int    // 0: not a turn
	Retry        bool
	RequestBytes int64
	End
}

// End is what an outcome adds to a flow. The zero End is that of an open flow.
type End struct {
	Ending        uint64 // trait of the outcome
	ResponseBytes int64
	Usage         flow.Usage // without Tier
	Cost          *float64   // US dollars; nil: unknown
	FirstByte     int64      // microseconds; 0: no answer
	Duration      int64      // microseconds
}

// Trait is what many flows have in common, sealed: the index can't tell what it
// says. Its id is keyed, and the same for the same.
type Trait struct {
	ID   uint64
	Data []byte
}

// Ended is the outcome of a flow whose intent came in an earlier batch.
type Ended struct {
	ID        flow.ID
	Outcome   uint64
	OutcomeAt Pos
	End
}

// Part is a checkpoint entry: a piece of a flow's answer.
type Part struct {
	Flow flow.ID
	At   Pos
}

// Session is what is known of a session key beside its flows.
type Session struct {
	Key  uint64
	Tag  []byte // keyed id of the claimed session id, for look-up
	Name []byte // sealed principal and session
}

// Objects is one packed run of a session's object directory, opaque to the
// index: the objects First … First+Count−1.
type Objects struct {
	Key, First uint64
	Count      int
	Segment    uint64 // newest segment that Data points to
	Data       []byte
}

// Secret is a value of the vault: whose, and where it stands.
type Secret struct {
	Owner uint64 // vault key id
	Key   uint64 // session key id
	Ref   uint64 // its number among the session's objects
	Entry uint64
	At    Pos
}

// Journal is an entry that is about no flow's passage: something happened to the
// gateway, or somebody read content.
type Journal struct {
	Entry   uint64
	Reading bool // of content
	At      Pos
}

// Mark says how far the index has come: every entry up to and with Entry is
// in. The zero Mark is that of an empty index.
type Mark struct {
	Entry   uint64
	Segment uint64
	Offset  int64 // just behind the entry
	Last    int64 // where its frame starts; 0: it is in an earlier segment, or not known
	Tag     [16]byte
}

// Batch is what Apply takes in at once, in the order of its fields.
type Batch struct {
	Traits   []Trait
	Flows    []Flow
	Ended    []Ended
	Parts    []Part
	Sessions []Session
	Objects  []Objects
	Secrets  []Secret
	Journal  []Journal
	Mark     Mark
}

// Filter chooses flows or sessions.
type Filter struct {
	Keys   []uint64 // session keys; nil: all
	Since  int64    // Unix ms; 0: all
	Before *Place   // nil: all
	After  *Place   // nil: all
	Upto   uint64   // entry number: only flows whose intent is no later; 0: all
	Where  *Cond    // nil: all
	Limit  int      // the newest so many; 0: all
}

// Place is where in the order of all a flow stands.
type Place struct {
	Started int64 // Unix ms
	ID      flow.ID
}

// Sum is what the flows of a session add up to.
type Sum struct {
	Session
	Flows, Turns int        // a retry shares its turn
	First, Last  int64      // Unix ms, when the first and last flow started
	Ended        int64      // Unix ms, when the last of them ended, or started if it has not
	Usage        flow.Usage // Estimated when any of it is
	Cost         *float64   // US dollars, of the flows whose cost is known; nil: of none
	Unpriced     int        // flows with usage and without a known cost
	Served       []Served   // its flows by what they have in common
	Agents       int        // sub-agents
}

// Served is how many flows have the same traits.
type Served struct {
	Traits
	Flows int
}

// Traits are those of a flow.
type Traits struct{ About, Ending uint64 }
