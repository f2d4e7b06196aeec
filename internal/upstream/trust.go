package upstream

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/workingagents/gatehouse/internal/flow"
)

// suites are those of TLS 1.2 that are spoken with a provider. The standard
// library's own choice is the same, but for what the environment adds to it
// (GODEBUG=tlsrsakex=1, tls3des=1).
var suites = func() (ids []uint16) {
	for _, s := range tls.CipherSuites() {
		ids = append(ids, s.ID)
	}
	return ids
}()

// minRSA is the shortest RSA key, in bits, that a provider's chain may have
// (CA/Browser Forum Baseline Requirements section 6.1.5).
const minRSA = 2048

// errWeak is a key that the standard library still takes.
type errWeak struct{ bits int }

func (e *errWeak) Error() string {
	return fmt.Sprintf("a key of its certificate chain has %d bits (RSA, at least %d)", e.bits, minRSA)
}

// checkKeys refuses a chain with a short RSA key, and a leaf whose key may not
// sign, which is all that TLS as we speak it needs one for (RFC 8446 section
// 4.4.2.2, RFC 5246 section 7.4.2). Everything else that makes a chain bad,
// crypto/x509 has refused before. A root is trusted by its name.
func checkKeys(s tls.ConnectionState) error {
	if leaf := s.PeerCertificates[0]; leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return x509.CertificateInvalidError{Cert: leaf, Reason: x509.IncompatibleUsage}
	}
	for _, chain := range s.VerifiedChains {
		for _, c := range chain[:max(len(chain)-1, 1)] {
			if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
				return &errWeak{key.N.BitLen()}
			}
		}
	}
	return nil
}

// errLate is an error after there was a connection to the provider: some of the
// request may have gone there. A provider that speaks TLS 1.3 and wants a
// client's certificate says so only then (RFC 8446 section 4.4.2.4).
type errLate struct{ error }

func (e *errLate) Unwrap() error { return e.error }

// Sent reports whether there was a connection to the provider before an error of Send,
// Stream or a Socket's upgrade: some of the request may have gone there.
func Sent(err error) bool {
	var late *errLate
	return errors.As(err, &late)
}

// Distrust says why a provider's TLS was not trusted, "" when that is not what
// went wrong, or when something may have been sent there.
func Distrust(err error) string {
	var (
		weak    *errWeak
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		strange x509.UnhandledCriticalExtension
		op      *net.OpError
	)
	switch {
	case Sent(err):
		return ""
	case errors.As(err, &weak):
		return weak.Error()
	case errors.As(err, &invalid):
		return invalidity(invalid)
	case errors.As(err, &host):
		return "its certificate is another host's"
	case errors.As(err, &unknown):
		return unknownness(unknown)
	case errors.As(err, &strange):
		return "its certificate has a critical extension that is not known here, so what it is for is not known either"
	case errors.As(err, &op) && op.Op == "remote error": // an alert
		return "it refused our TLS: " + op.Err.Error()
	case isTLS(err):
		return "it does not speak TLS as we do (version 1.2 or newer)"
	}
	return ""
}

// isTLS finds what crypto/tls has no type for: its own errors before a
// certificate was seen, such as a version that is too old.
func isTLS(err error) bool {
	var header tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	if errors.As(err, &header) || errors.As(err, &verify) {
		return true
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err != nil && strings.HasPrefix(err.Error(), "tls: ")
}

// broken are the algorithms that nobody's signature is believed in.
var broken = []x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1}

func invalidity(e x509.CertificateInvalidError) string {
	switch e.Reason {
	case x509.Expired:
		if e.Cert != nil && e.Cert.NotBefore.After(e.Cert.NotAfter) {
			return "its certificate is never valid"
		}
		return "its certificate has expired or is not yet valid"
	case x509.TooManyIntermediates:
		return "its certificate chain is longer than an issuer allows (path length)"
	case x509.IncompatibleUsage:
		return "its certificate is not for servers (key usage)"
	case x509.NotAuthorizedToSign:
		return "its certificate was issued by one that may not issue any"
	case x509.CANotAuthorizedForThisName:
		return "its certificate's issuer may not sign for this host (name constraints)"
	}
	return "its certificate chain is not valid"
}

// unknownness is also how crypto/x509 tells of a signature that it does not take.
func unknownness(e x509.UnknownAuthorityError) string {
	c := e.Cert
	if c != nil && slices.Contains(broken, c.SignatureAlgorithm) {
		return "its certificate is signed with an algorithm that is broken (" + c.SignatureAlgorithm.String() + ")"
	}
	if c != nil && c.Subject.String() == c.Issuer.String() && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
		return "its certificate is self-signed, and not among the roots that are trusted"
	}
	return "its certificate's issuer is not known: a private CA (setting: upstreams.NAME.ca_file), or an intermediate that the provider does not send"
}

// legs remembers how the last connection to the provider was secured: calls
// share connections, and connections certificates.
type legs struct{ last atomic.Pointer[seen] }

type seen struct {
	leaf *x509.Certificate
	leg  flow.Leg
}

// Leg gives what is recorded of a connection to the provider, nil for one
// without TLS. The result must not be changed.
func (u *Upstream) Leg(s *tls.ConnectionState) *flow.Leg {
	if s == nil {
		return nil
	}
	leg := flow.Leg{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite), ALPN: s.NegotiatedProtocol}
	if len(s.PeerCertificates) == 0 {
		return &leg
	}
	last := u.legs.last.Load()
	if last != nil && last.leaf == s.PeerCertificates[0] {
		leg.Chain = last.leg.Chain
		if leg == last.leg {
			return &last.leg
		}
	} else {
		h := sha256.New()
		for _, c := range s.PeerCertificates {
			h.Write(c.Raw)
		}
		leg.Chain = hex.EncodeToString(h.Sum(nil))
	}
	u.legs.last.Store(&seen{s.PeerCertificates[0], leg})
	return &leg
}
