package advice

import "math"

// form is the distribution of a day's noise, in its standard deviations, ready
// to be looked up: logs of the density and of the upper tail.
type form struct{ density, upper [formNodes]float32 }

const (
	formReach      = 10 // standard deviations to either side
	formNodesPerSD = 64
	formNodes      = 2*formReach*formNodesPerSD + 1

	formSmooth = 3 // how many nodes of the shape to either side its slope is taken over
)

// formOf follows from the shape, which says at which standard normal the noise
// lies; beyond its ends it goes on straight.
func formOf(p *useParams) *form {
	var slope [shapeNodes]float64 // of the standard normal, by the noise
	for i := range slope {
		lo, hi := max(i-formSmooth, 0), min(i+formSmooth, shapeNodes-1)
		slope[i] = (nodeAt(hi) - nodeAt(lo)) / max(p.Shape[hi]-p.Shape[lo], 1e-3)
	}
	f := new(form)
	for i := range f.density {
		z := float64(i)/formNodesPerSD - formReach
		var g, s float64
		switch last := shapeNodes - 1; {
		case z <= p.Shape[0]:
			s = slope[0]
			g = nodeAt(0) + s*(z-p.Shape[0])
		case z >= p.Shape[last]:
			s = slope[last]
			g = nodeAt(last) + s*(z-p.Shape[last])
		default:
			g = p.normalOf(z)
			x := (g/shapeReach + 1) / 2 * (shapeNodes - 1)
			j := min(max(int(x), 0), shapeNodes-2)
			s = slope[j] + (x-float64(j))*(slope[j+1]-slope[j])
		}
		f.density[i] = float32(math.Log(s) - g*g/2)
		f.upper[i] = float32(logUpper(g))
	}
	return f
}

// logUpper is the log of the probability of a standard normal above z.
func logUpper(z float64) float64 {
	if z > 8 {
		return -z*z/2 - math.Log(z) - 0.919
	}
	return math.Log(upper(z))
}

// above is the mean and variance of noise that is known to be above z.
func (p *useParams) above(z float64) (mean, variance float64) {
	const step = 0.05
	var mass, sum, sq float64
	// The tail is cut into slices of the standard normal.
	for g, last := p.normalOf(z), upper(p.normalOf(z)); g < shapeReach && last > 1e-7; g += step {
		next := upper(g + step)
		x := max(p.noise(g+step/2), z)
		mass, sum, sq = mass+last-next, sum+(last-next)*x, sq+(last-next)*x*x
		last = next
	}
	if mass < 1e-6 {
		return z + 0.1, 0.01
	}
	mean = sum / mass
	return mean, max(sq/mass-mean*mean, 0.01)
}
