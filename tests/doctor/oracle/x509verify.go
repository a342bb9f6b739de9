// Answers whether crypto/x509 trusts a chain: one JSON question per line on standard input, one word per line back.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

type question struct {
	Chain [][]byte // DER, leaf first
	Roots [][]byte
	Host  string
	At    int64
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		fmt.Println(word(verify(asked)))
	}
}

func verify(asked question) error {
	leaf, err := x509.ParseCertificate(asked.Chain[0])
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		DNSName:       asked.Host,
		Roots:         pool(asked.Roots),
		Intermediates: pool(asked.Chain[1:]),
		CurrentTime:   time.Unix(asked.At, 0),
	})
	return err
}

func pool(ders [][]byte) *x509.CertPool {
	made := x509.NewCertPool()
	for _, der := range ders {
		if cert, err := x509.ParseCertificate(der); err == nil {
			made.AddCert(cert)
		}
	}
	return made
}

func word(err error) string {
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return "trusted"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && strings.Contains(invalid.Detail, "is before"):
		return "not_yet_valid"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &host):
		return "wrong_host"
	case errors.As(err, &unknown):
		return "unknown_authority"
	}
	return "not_allowed"
}
