package price

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/workingagents/gatehouse/internal/flow"
)

// file is a price table as it is written.
type file struct {
	AsOf   day   `yaml:"as_of"`
	Models []row `yaml:"models"`
}

// row is one model's prices during one span of time.
type row struct {
	Provider flow.Provider   `yaml:"provider"`
	Model    string          `yaml:"model"`
	Aliases  []string        `yaml:"aliases"`
	From     day             `yaml:"from"`  // first day; none: since ever
	Until    day             `yaml:"until"` // first day on which it no longer counts; none: still
	Rates    prices          `yaml:",inline"`
	Above    []longer        `yaml:"above"`
	Tiers    map[string]tier `yaml:"tiers"`
	Source   string          `yaml:"source"`
}

type prices struct {
	Input        *float64 `yaml:"input"`
	Output       *float64 `yaml:"output"`
	CacheRead    *float64 `yaml:"cache_read"`
	CacheWrite   *float64 `yaml:"cache_write"`
	CacheWrite1h *float64 `yaml:"cache_write_1h"`
}

// longer are the prices of the whole request when its prompt has more tokens.
type longer struct {
	Tokens int64  `yaml:"tokens"`
	Rates  prices `yaml:",inline"`
}

// tier is a multiple of the standard prices, or prices of its own. In the file
// a bare number is a multiple.
type tier struct {
	Times float64  `yaml:"times"`
	Rates prices   `yaml:",inline"`
	Above []longer `yaml:"above"`
	UpTo  int64    `yaml:"up_to"` // longer prompts have no price; 0: no end
}

// UnmarshalYAML reads both forms.
func (t *tier) UnmarshalYAML(decode func(any) error) error {
	if decode(&t.Times) == nil {
		return nil
	}
	type fields tier
	return decode((*fields)(t))
}

// day is a date in UTC.
type day struct{ time.Time }

// UnmarshalText reads YYYY-MM-DD.
func (d *day) UnmarshalText(text []byte) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("%q is no date: write YYYY-MM-DD", text)
	}
	return nil
}

// Merge makes a table in which the rows of text stand in place of all rows
// that t has for the same models. The text is YAML, as in the built-in table.
func (t *Table) Merge(text []byte) (*Table, error) {
	add, err := parse(text)
	if err != nil {
		return nil, err
	}
	sum := &Table{asOf: t.asOf, lists: make(map[flow.Provider][]*model)}
	for p, list := range t.lists {
		for _, m := range list {
			if m = m.without(add.lists[p]); m != nil {
				sum.lists[p] = append(sum.lists[p], m)
			}
		}
	}
	for p, list := range add.lists {
		sum.lists[p] = append(sum.lists[p], list...)
	}
	if add.asOf.After(sum.asOf) {
		sum.asOf = add.asOf
	}
	return sum, nil
}

// without is the model without the names that the list has, too; nil when
// none is left.
func (m *model) without(list []*model) *model {
	left := slices.DeleteFunc(slices.Clone(m.names), func(name string) bool {
		return slices.ContainsFunc(list, func(other *model) bool { return slices.Contains(other.names, name) })
	})
	if len(left) == 0 {
		return nil
	}
	rest := *m
	rest.names = left
	return &rest
}

func parse(text []byte) (*Table, error) {
	var f file
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("reading price table: %w", err)
	}
	t := &Table{asOf: f.AsOf.Time, lists: make(map[flow.Provider][]*model)}
	var problems []error
	for i := range f.Models {
		m, err := f.Models[i].model()
		if err != nil {
			problems = append(problems, fmt.Errorf("price %d, model %q: %w", i+1, f.Models[i].Model, err))
			continue
		}
		p := f.Models[i].Provider
		if other := overlap(t.lists[p], m); other != "" {
			problems = append(problems, fmt.Errorf("price %d: model %q has another price at the same time", i+1, other))
		}
		t.lists[p] = append(t.lists[p], m)
	}
	return t, errors.Join(problems...)
}

// overlap gives the name for which a list has a row at the same time as m.
func overlap(list []*model, m *model) string {
	for _, other := range list {
		if (m.until.IsZero() || other.from.Before(m.until)) && (other.until.IsZero() || m.from.Before(other.until)) {
			for _, name := range m.names {
				if slices.Contains(other.names, name) {
					return name
				}
			}
		}
	}
	return ""
}

func (r *row) model() (*model, error) {
	m := &model{
		names: append([]string{r.Model}, r.Aliases...), from: r.From.Time, until: r.Until.Time,
		tiers: make(map[string]terms),
	}
	switch {
	case r.Provider != flow.Anthropic && r.Provider != flow.OpenAI && r.Provider != flow.Gemini:
		return nil, fmt.Errorf("%q is no provider: write anthropic, openai or gemini", r.Provider)
	case slices.Contains(m.names, ""):
		return nil, errors.New("has no name")
	case !m.until.IsZero() && !m.from.Before(m.until):
		return nil, errors.New("from must be before until")
	}
	var err error
	if m.bands, err = bands(r.Rates, r.Above); err != nil {
		return nil, err
	}
	for name, t := range r.Tiers {
		if m.tiers[name], err = t.terms(); err != nil {
			return nil, fmt.Errorf("tier %s: %w", name, err)
		}
	}
	return m, nil
}

func (t *tier) terms() (terms, error) {
	own := t.Rates != (prices{}) || len(t.Above) > 0
	switch {
	case t.UpTo < 0, t.Times < 0, own == (t.Times > 0):
		return terms{}, errors.New("write a factor or prices, more than 0")
	case !own:
		return terms{times: t.Times, upTo: t.UpTo}, nil
	}
	list, err := bands(t.Rates, t.Above)
	return terms{bands: list, times: 1, upTo: t.UpTo}, err
}

func bands(base prices, above []longer) ([]band, error) {
	list := make([]band, 0, 1+len(above))
	for _, l := range append([]longer{{0, base}}, above...) {
		r, err := l.Rates.rates()
		if err != nil {
			return nil, err
		}
		list = append(list, band{l.Tokens, r})
	}
	slices.SortFunc(list, func(a, b band) int { return cmp.Compare(b.above, a.above) })
	for i := range list[1:] {
		if list[i].above <= list[i+1].above {
			return nil, errors.New("above: tokens must be more than 0 and not twice the same")
		}
	}
	return list, nil
}

// rates checks prices. Input and output must be there: a model of which only
// half is priced would look cheap.
func (p *prices) rates() (rates, error) {
	if p.Input == nil || p.Output == nil {
		return rates{}, errors.New("needs input and output")
	}
	for _, v := range []*float64{p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h} {
		if v != nil && !(*v >= 0 && *v < 1e6) {
			return rates{}, errors.New("prices are US dollars for a million tokens, 0 at least")
		}
	}
	return rates{p.Input, p.Output, p.CacheRead, p.CacheWrite, p.CacheWrite1h}, nil
}
