// Package examination examines advice: by a population that was made up without
// knowledge of it ([Synthetic]), and by a seller's own history ([OwnHistory]).
// Seeds are fixed and trips are split by time, so that nothing that is examined
// was seen before: the model is fitted on what had happened by one day, is
// calibrated on trips that finished by a second, and is examined on trips that
// began after it.
//
// Every buyer, the advice among them, is charged by one simulator of a line
// (line.go), day by day, and compared with the clairvoyant (clairvoyant.go), who
// knows every byte that will be wanted. docs/advice.md tells the protocol and
// what was reached.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package examination
