package app

import (
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
)

// Operators are the connections to operators alone, for commands that ask them
// something and are not the shop. They are set as for "tsuzuku serve".
type Operators struct {
	ESIMAccess ESIMAccess `embed:"" prefix:"esimaccess-" group:"Operator: eSIM Access"`
	Airalo     Airalo     `embed:"" prefix:"airalo-" group:"Operator: Airalo"`
	ESIMGo     ESIMGo     `embed:"" prefix:"esimgo-" group:"Operator: eSIM Go"`
	CMI        CMI        `embed:"" prefix:"cmi-" group:"Operator: China Mobile International"`
	Remote     Remote     `embed:"" prefix:"remote-" group:"Operators: remote"`
	Manual     Manual     `embed:"" prefix:"manual-" group:"Operators: by hand"`
}

// Connect builds the adapters, by their names. Only which of them are named counts;
// none: all. It fails with [fault.Invalid] when there is none.
func (o Operators) Connect(env Env, only ...string) (map[string]carrier.Carrier, error) {
	c := Config{ESIMAccess: o.ESIMAccess, Airalo: o.Airalo, ESIMGo: o.ESIMGo, CMI: o.CMI, Remote: o.Remote, Manual: o.Manual}
	if err := c.checkOperators(); err != nil {
		return nil, err
	}
	a := Adapters{Carriers: map[string]carrier.Carrier{}, CarrierHooks: map[string]string{}}
	if err := a.allOperators(c, env, id.NewSource(env.Now, env.Random)); err != nil {
		return nil, err
	}
	if len(a.Carriers) == 0 {
		return nil, fault.New(fault.Invalid, "No operator is configured. Give this command the settings of operators that serve has, best in the configuration file or the environment.")
	}
	if len(only) == 0 {
		return a.Carriers, nil
	}
	out := map[string]carrier.Carrier{}
	for _, name := range only {
		one, ok := a.Carriers[name]
		if !ok {
			return nil, fault.New(fault.Invalid, "No adapter %q is configured.", name)
		}
		out[name] = one
	}
	return out, nil
}
