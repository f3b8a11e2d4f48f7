package phrase

import "time"

// quartersOfYear are parts of a year as businesses name them: how many months of it
// they begin after, and how many they have.
var quartersOfYear = tabulate(entries[[2]int]{
	{"q1 first_quarter the_first_quarter 1st_quarter the_1st_quarter", [2]int{0, 3}},
	{"q2 second_quarter the_second_quarter 2nd_quarter the_2nd_quarter", [2]int{3, 3}},
	{"q3 third_quarter the_third_quarter 3rd_quarter the_3rd_quarter", [2]int{6, 3}},
	{"q4 fourth_quarter the_fourth_quarter 4th_quarter the_4th_quarter last_quarter_of the_last_quarter_of", [2]int{9, 3}},
	{"h1 first_half_of the_first_half_of", [2]int{0, 6}},
	{"h2 second_half_of the_second_half_of", [2]int{6, 6}},
})

// quarterWords are quarters as seen from the present one.
var quarterWords = tabulate(entries[int]{
	{"this_quarter the_quarter current_quarter the_current_quarter", 0},
	{"next_quarter the_next_quarter coming_quarter the_coming_quarter the_following_quarter", 1},
	{"last_quarter the_last_quarter previous_quarter the_previous_quarter past_quarter the_past_quarter", -1},
})

// quarter reads "Q3 2026", "2026 Q3", "the third quarter of next year" and "this
// quarter". One without a year is the next that is not over.
func (d *dayReader) quarter(i int, base time.Time) (when, bool) {
	if year, end, ok := d.yearAt(i); ok {
		if q, stop, ok := quartersOfYear.at(d.s, dateJoint(d.s, end)); ok {
			t, _ := date(year, 1, 1)
			return quarterOf(t, q).ends(stop), true
		}
	}
	q, end, ok := quartersOfYear.at(d.s, i)
	if !ok {
		n, end, ok := quarterWords.at(d.s, i)
		first := firstOf(base, 3*n-(int(base.Month())-1)%3)
		return between(first, lastOf(first, 2)).ends(end), ok
	}
	at, _ := past(d.s, end, "of ")
	if year, stop, ok := d.yearEn(dateJoint(d.s, at), base); ok {
		return quarterOf(year, q).ends(stop), true
	}
	w := quarterOf(january(base, 0), q)
	if w.last.Before(base) {
		w = quarterOf(january(base, 1), q)
	}
	return w.ends(end), at == end // "the first half of" wants a year
}

// quarterOf is a part of the year that begins at first.
func quarterOf(first time.Time, q [2]int) when {
	return between(firstOf(first, q[0]), lastOf(first, q[0]+q[1]-1))
}
