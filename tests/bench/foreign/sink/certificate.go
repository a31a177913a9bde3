package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// selfSigned writes ca.pem (the authority to trust), and cert.pem with key.pem for 127.0.0.1, into
// folder, and gives the paths of the last two.
func selfSigned(folder string) (string, string) {
	ca, caKey := template(1), newKey()
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	leaf, leafKey := template(2), newKey()
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	key, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		log.Fatal(err)
	}
	write(folder, "ca.pem", "CERTIFICATE", sign(ca, ca, caKey, caKey))
	return write(folder, "cert.pem", "CERTIFICATE", sign(leaf, ca, leafKey, caKey)),
		write(folder, "key.pem", "EC PRIVATE KEY", key)
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

func template(serial int64) *x509.Certificate {
	name := pkix.Name{CommonName: fmt.Sprint("sink ", serial)}
	return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: name,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0),
		BasicConstraintsValid: true}
}

func sign(what, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
	signed, err := x509.CreateCertificate(rand.Reader, what, by, &key.PublicKey, byKey)
	if err != nil {
		log.Fatal(err)
	}
	return signed
}

func write(folder, name, kind string, content []byte) string {
	path := filepath.Join(folder, name)
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		log.Fatal(err)
	}
	return path
}
