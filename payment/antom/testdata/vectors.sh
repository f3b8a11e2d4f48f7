#!/bin/sh
# Makes the vectors of sign_test.go with OpenSSL alone: Antom publishes none.
# Keys that are there are kept. What is signed is by Antom's page
# ams/digital_signature; a .sig is RSA256, base64, not yet escaped for the header.
set -e
cd "$(dirname "$0")"
for who in merchant antom; do
	[ -f $who-key.pem ] || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $who-key.pem
	openssl pkey -in $who-key.pem -pubout -out $who-pub.pem
done
sign() { # name, key, path, time; the body is name.json, byte for byte
	{ printf 'POST %s\n%s.%s.' "$3" SANDBOX_5Y0000000000000000 "$4"; cat "$1.json"; } |
		openssl dgst -sha256 -sign "$2-key.pem" | openssl base64 -A >"$1.sig"
}
sign request merchant /ams/sandbox/api/v1/payments/inquiryPayment 1935853689987
sign answer antom /ams/sandbox/api/v1/payments/inquiryPayment 2031-05-06T17:08:10+08:00
sign notice antom /hooks/payment/antom 2031-05-06T17:09:10+08:00
