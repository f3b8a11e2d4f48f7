package portal

import (
	"context"
	_ "embed" // the script
)

// The script that shows passwords while they are typed, and how far a new one has come.
//
//go:embed password.js
var passwordScript []byte

// passwordPath is where the script is; another script has another address.
var passwordPath = scriptPath("/password.js", passwordScript)

func (s *Server) passwordScript(context.Context, *visit) (answer, error) {
	return answer{script: passwordScript}, nil
}
