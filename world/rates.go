package world

import (
	"fmt"
	"time"
)

// RatesFile is what a simulated European Central Bank publishes on the day of
// now: the real one's rates of 13 April 2026, under the day on which the demo is
// opened, so that they are fresh until its clock is moved.
func RatesFile(now time.Time) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender><gesmes:name>European Central Bank (simulated)</gesmes:name></gesmes:Sender>
	<Cube><Cube time='%s'>
		<Cube currency='USD' rate='1.1684'/><Cube currency='JPY' rate='186.75'/><Cube currency='CNY' rate='7.9827'/>
		<Cube currency='HKD' rate='9.1507'/><Cube currency='KRW' rate='1740.86'/>
	</Cube></Cube>
</gesmes:Envelope>
`, now.UTC().Format(time.DateOnly))
}
