package advice

import "math"

// What is published about travellers in Japan and their use of data, for a
// seller who has no trips yet. Compiled on 2026-11-20; the letter is how far a
// figure can be trusted: A an official page or two sources that agree, B one
// dated source, C weak.
//
// Use of data:
//
//   - Within one traveller, the natural logarithm of a day's bytes has a standard
//     deviation of about 2.0 on days of use: 22 travel SIMs of 2019 (2.01 for the
//     six with five or more active days) and one person over 548 days (2.09). B
//   - Between travellers it is 0.85 (the same SIMs, trips of four days and more)
//     or 0.58 (the six); between residents of Japan, by the month, 1.5 to 1.7
//     (MM Research Institute 2020-12 to 2023-07: itmedia.co.jp/mobile/articles/2102/10/news095.html,
//     j-cast.com/kaisha/2023/09/04468197). B
//   - 22 to 36 % of the days have less than 1 MB (the person; the SIMs' trips). B
//     Of the person's, 9 of 22 have no byte at all. B
//   - Guide pages say 0.4 to 0.7 GB a day for travellers in Japan. C. Users of one
//     travel eSIM averaged 3.8 GB over July and August 2022 (a press release). B
//
// Length of stay (survey of the Japan Tourism Agency, as reported):
//
//   - Leisure, 2017 Q3, 87.6 % and 12.4 % of two groups mixed: up to 3 days 8.8 %,
//     4 to 6 days 52.4 %, 7 to 13 days 31.8 %, 14 and more 7.0 %
//     (sakura-gs.com/travel/?p=2370). B
//   - Mean nights, all purposes 9.5 (2024 Q3, nli-research.co.jp id=80096), leisure
//     6.5 (2024 Q1, shimbunstory.com/travel/2269). B
//   - By nationality, leisure: Korea 3.7 (2024 Q3), United States 9.8 (2023 Q4,
//     nli-research.co.jp id=77403); all purposes 2015: France 14.8, Spain 15.4,
//     China 12.7, Thailand 11.1, Hong Kong 5.9; Taiwan 7.7 (2013 Q1,
//     ryoko-net.co.jp/?p=4349). B
const (
	priorDaySD    = 1.6  // between 2.0, measured at 2019's level of use, and 1.0 of those who stream every day
	priorUserSD   = 0.95 // between 0.85 and 1.5
	priorZero     = 0.25 // of the days have less than activeBytes
	priorDayMean  = 0.55e9
	activeBytes   = 1e6
	priorTold     = 0.88 // of the told days of departure hold; our own assumption until trips say
	priorGuess    = 4    // trips that the published figures weigh against the seller's own
	leisureMean   = 7.5  // days: 6.5 nights
	otherMean     = 19.0 // days, so that all purposes come to 9.5 nights where a quarter is not leisure
	leisureShare  = 0.75
	heapPreferred = 1.6 // times as likely to leave after 7, 14, 30, 90 days as after those beside them; our assumption
)

// priorGroups are how many times as many days as the mean of all a nationality
// stays, from the figures above.
var priorGroups = map[string]float64{
	"KR": 4.7 / leisureMean, "HK": 6.9 / 10.5, "TW": 8.7 / 10.9, "US": 10.8 / leisureMean,
	"TH": 12.1 / 10.9, "CN": 13.7 / 10.9, "FR": 15.8 / 10.9, "ES": 16.4 / 10.9,
}

// priorLevel is everyone, before any trip.
func priorLevel() level {
	v := priorDaySD*priorDaySD + priorUserSD*priorUserSD
	return level{
		Mu:   math.Log(priorDayMean/(1-priorZero)) - v/2,
		Tau2: priorUserSD * priorUserSD, S2: priorDaySD * priorDaySD, Zero: priorZero,
	}
}

// priorStay is the probability of a stay of n+1 days.
func priorStay() []float64 {
	pmf := make([]float64, maxStay)
	fill := func(from, to int, share float64) {
		var sum float64
		for n := from; n <= to; n++ {
			sum += heap(n)
		}
		for n := from; n <= to; n++ {
			pmf[n-1] += share * heap(n) / sum
		}
	}
	fill(2, 3, leisureShare*0.088)
	fill(4, 6, leisureShare*0.524)
	fill(7, 13, leisureShare*0.318)
	tail := func(from int, mean, share float64) { // a constant hazard from there on
		p, left := 1/(mean-float64(from)+1), share
		for n := from; n <= maxStay; n++ {
			gone := left * min(1, p*heap(n))
			if n == maxStay {
				gone = left
			}
			pmf[n-1], left = pmf[n-1]+gone, left-gone
		}
	}
	tail(14, 20, leisureShare*0.070)
	tail(2, otherMean, 1-leisureShare)
	return pmf
}

func heap(n int) float64 {
	switch n {
	case 7, 14, 30, 90:
		return heapPreferred
	}
	return 1
}
