package text

// Tokens gives one token of each list that a term asks for.
func (s *Store) Tokens(t Term) (list []string) {
	for _, any := range s.keyer.query(&t) {
		list = append(list, string(any[0][:]))
	}
	return list
}
