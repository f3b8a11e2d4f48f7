package advice

// Candidates is every way that was weighed, for those who want to see why: the
// first is to buy nothing now, the others begin with one offer each. [Tables.Recommend]
// takes the one that costs least. It fails as that does, and allocates.
func (t *Tables) Candidates(q Question) ([]Choice, error) {
	if err := q.Trip.Validate(); err != nil {
		return nil, err
	}
	if err := q.State.validate(); err != nil {
		return nil, err
	}
	r, _ := t.rooms.Get().(*room)
	defer t.rooms.Put(r)
	r.imagine(&q)
	all := make([]Choice, r.tryAll(&q))
	for i := range all {
		all[i] = r.choice(&r.ways[i], &q)
	}
	return all, nil
}
