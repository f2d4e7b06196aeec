package flow

import "strconv"

// End is what tells how a flow ended. Its state alone does not: an answer that was
// blocked came to its end, and so did one whose status is 200 and that holds an error.
type End struct {
	State   State
	Status  int
	Verdict Verdict
	Error   string
}

// Failed reports whether the answer broke off, or is an error.
func (e End) Failed() bool {
	return e.State == Aborted || e.Error != "" || e.Status >= 400 && e.State != Refused
}

// String gives it in a word or two: done, blocked, "failed: overloaded_error".
func (e End) String() string {
	switch {
	case e.State == Open:
		return string(Open)
	case e.Verdict == Block || e.Verdict == Ask:
		return "blocked"
	case e.Error != "":
		return "failed: " + e.Error
	case e.State == Done && e.Failed():
		return "failed: HTTP " + strconv.Itoa(e.Status)
	}
	return string(e.State)
}

// End says how the flow ended.
func (v *View) End() End { return End{v.State, v.Status, v.Verdict, v.Error} }
