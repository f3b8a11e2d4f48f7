package advice

import (
	"math"
	"slices"
)

func series(values []float64, season, horizon int) ([][7]float64, error) {
	if len(values) < 2 || season < 1 || horizon < 1 {
		return nil, refuse("A series needs two values, a season and a horizon.")
	}
	season = min(season, len(values)-1)
	var e []float64
	for i := season; i < len(values); i++ {
		e = append(e, values[i]-values[i-season])
	}
	slices.Sort(e)
	out := make([][7]float64, horizon)
	for h := range out {
		base := values[len(values)-season+h%season]
		for i, p := range Levels {
			out[h][i] = base + e[int(p*float64(len(e)))]*math.Sqrt(float64(h/season+1))
		}
	}
	return out, nil
}
