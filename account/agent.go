package account

import "strings"

// programs and systems are looked for in this order: most browsers claim to be
// the others as well.
var (
	programs = []struct{ token, name string }{
		{"MicroMessenger/", "WeChat"},
		{"Line/", "LINE"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"Edg/", "Edge"},
		{"OPR/", "Opera"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systems = []struct{ token, name string }{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"Mac OS X", "Mac"},
		{"CrOS", "Chromebook"},
		{"Linux", "Linux"},
	}
)

// describe says what a browser is, from what it says of itself. The answer is
// made of our words alone: it is written into a letter to the owner of the
// account, and whoever signs in chooses the browser's.
func describe(agent string) string {
	program, system := "", ""
	for _, p := range programs {
		if strings.Contains(agent, p.token) {
			program = p.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(agent, s.token) {
			system = s.name
			break
		}
	}
	switch {
	case program != "" && system != "":
		return program + " (" + system + ")"
	case program != "":
		return program
	}
	return system
}
