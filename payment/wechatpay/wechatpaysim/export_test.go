package wechatpaysim

// What signs, verifies and encrypts, for the published vectors.
var (
	RequestText        = requestText
	AnswerText         = answerText
	Lines              = lines
	SignText           = sign
	VerifyText         = verify
	Encrypt            = encrypt
	ParseAuthorization = parseAuthorization
)

// Parts are the values of an authorization.
func (a authorization) Parts() []string {
	return []string{a.mchID, a.nonce, a.timestamp, a.serial, a.signature}
}

// Retries is the plan after failed sends.
var Retries = retries
