// Package api is the door for programs: the seller's server, and what a customer
// lets act for them. It speaks JSON, is described by the document beside this
// file, and does what the pages do by the same functions.
//
// Whoever asks shows a key of the shop's. Every operation names the scope that
// its key needs; what a request is about names the customer, since identifiers
// carry their account. A key that is for one account sees nothing of others:
// what is somebody else's does not exist.
//
// Amounts are minor units with their currency, data is bytes, instants are
// RFC 3339 in UTC, and days are the operator's, whose zone is beside them.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package api

import (
	"context"
	_ "embed" // the document
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

// Server serves the API. Its fields are set before [Server.Handler] is called
// and not changed.
type Server struct {
	DB    *db.DB
	Desk  *order.Desk
	Shelf *catalogue.Shelf
	Log   *slog.Logger

	// Advice says what to renew with; nil: nothing is advised.
	Advice *advice.Adviser

	// URL is the portal's public address without a slash at its end; payment
	// pages send customers back to it where a request names no other place.
	URL string

	limits  limits
	devices device.Shelf
}

// prefix is where the operations are.
const prefix = "/api/v1"

// Document is the description of the API, OpenAPI 3.1, as JSON: what partners
// build on. It is made by "go test ./api -run Document -update", and a test
// fails while it is not what the code does.
//
//go:embed openapi.json
var Document []byte

// Handler answers every request below /api/. It is safe for concurrent use.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.describe(mux)
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(Document) // the caller has left; nothing to do about it
	})
	known := tagged(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		defer s.caught(w, r)
		if _, pattern := mux.Handler(r); pattern == "" {
			s.lost(w, r, mux)
			return
		}
		known.ServeHTTP(w, r)
	})
}

// describe registers every operation. Its order is the document's.
func (s *Server) describe(mux humago.Mux) huma.API {
	adoptProblems()
	d := humago.NewWithPrefix(mux, prefix, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Tsuzuku", Version: "1", License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
				Description: "Prepaid travel data lines, and keeping them going. Amounts are whole minor units with their currency, data is bytes, " +
					"instants are RFC 3339 in UTC; days are those of the line's operator, whose zone is beside them. Texts are in the language that Accept-Language asks for: " +
					"en, zh-Hans, zh-Hant, ja or ko. New fields may appear at any time; fields that are documented do not change their meaning within version 1.",
			},
			Servers: []*huma.Server{{URL: prefix}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key": {Type: "http", Scheme: "bearer", Description: "A key made by tsuzuku api key new."},
				},
			},
		},
		Formats: huma.DefaultFormats, DefaultFormat: "application/json", RejectUnknownQueryParameters: true,
	})
	s.addCatalogue(d)
	s.addDevices(d)
	s.addRoaming(d)
	s.addLines(d)
	s.addAdvice(d)
	s.addQuotes(d)
	s.addOrders(d)
	s.addAccounts(d)
	s.addChat(d)
	return d
}

// route is one operation.
type route struct {
	id, method, path string
	scope            Scope
	tag              string
	summary          string
	about            string // what the summary does not say
	makes            bool   // answered with 201
}

// reply is an answer as huma takes it.
type reply[T any] struct{ Body T }

// maxBody is how long a request's body may be.
const maxBody = 16 << 10

// add registers an operation: who may, what comes in, what goes out.
func add[In, Out any](s *Server, d huma.API, r route, do func(context.Context, *call, *In) (Out, error)) {
	status := http.StatusOK
	if r.makes {
		status = http.StatusCreated
	}
	huma.Register(d, huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Description: r.about, Tags: []string{r.tag},
		DefaultStatus: status, MaxBodyBytes: maxBody, Security: []map[string][]string{{"key": {string(r.scope)}}},
		Middlewares: huma.Middlewares{s.guard(r.scope)},
	}, func(ctx context.Context, in *In) (*reply[Out], error) {
		c := callOf(ctx)
		out, err := do(ctx, c, in)
		if err != nil {
			return nil, s.problem(ctx, c.voice, err)
		}
		return &reply[Out]{out}, nil
	})
}

// setHeaders says that answers are for this caller alone and are no pages.
func setHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", `attachment; filename="answer.json"`) // where a browser is led here, it shows nothing
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Vary", "Accept-Language, Authorization")
}

// caught turns a panic into a problem, and logs it.
func (s *Server) caught(w http.ResponseWriter, r *http.Request) {
	if p := recover(); p != nil {
		s.write(w, s.problem(r.Context(), voiceOf(r, s.DB.Now()), fault.Panicked(p)))
	}
}

// lost answers what no operation is for.
func (s *Server) lost(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	var others []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "" && method != r.Method {
			others = append(others, method)
		}
	}
	voice := voiceOf(r, s.DB.Now())
	if len(others) == 0 {
		s.write(w, s.problem(r.Context(), voice, errPath()))
		return
	}
	slices.Sort(others)
	for _, m := range others {
		w.Header().Add("Allow", m)
	}
	p := s.problem(r.Context(), voice, errMethod())
	p.Status = http.StatusMethodNotAllowed
	s.write(w, p)
}

// write sends a problem outside of huma.
func (s *Server) write(w http.ResponseWriter, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Content-Language", string(p.language))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller has left; nothing to do about it
}
