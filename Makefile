.PHONY: demo test soak chaos lint fmt bench bench-pages journeys lighthouse screens icons fuzz canaries
demo:   ; go run ./cmd/tsuzuku demo          ## the shop with simulated strangers, in a browser
test:   ; go run ./internal/testall          ## every test, both engines, race detector; installs what is missing as root
soak:   ; go run ./internal/testall soak     ## the property tests with fresh seeds, twenty times as many cases; towns with fresh seeds, which adds to docs/town-runs.txt
chaos:  ; go run ./internal/testall chaos    ## the real program on SQLite, PostgreSQL and Patroni, killed, cut off and failed over while customers shop; adds to docs/chaos-runs.txt
lint:   ; go run ./internal/testall lint     ## gofumpt, vet, golangci-lint
fmt:    ; go run ./internal/testall fmt      ## rewrites to the house's format
bench:  ; go run ./cmd/tsuzuku bench renew   ## renewals a second beside the engine's own limit
bench-pages: ; go test ./e2e -count 1 -run TestUsableOnAThrottledLine -bench-pages -v ## when pages are usable on 128 kbit/s, in Chromium
screens: ; go test ./e2e -count 1 -run 'TestScreens$$' -update-screens ## docs/screens
lighthouse: ; go run ./internal/testall lighthouse ## Lighthouse over the demo's pages; needs npm
journeys: ; go test ./e2e -count 1 -timeout 3h -run 'TestJourneys$$' -every-journey -v ## every journey in every language and size, with and without scripts
icons:  ; go test ./e2e -count 1 -run TestIcons -update-icons ## ui/icons from ui/icon.svg
fuzz:   ; go run ./internal/testall fuzz     ## every fuzz target for half a minute
canaries: ; go run ./world/canaries          ## breaks the product in every way we know; the town's auditor must find each
