package paypalsim

var (
	SignedText = signedText
	Sign       = sign
	ReadAmount = readAmount
)
