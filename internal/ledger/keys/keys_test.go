package keys_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/disk/disktest"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
)

var kek = bytes.Repeat([]byte{9}, keys.Size)

func ring(t *testing.T, d *disktest.FS) *keys.Ring {
	t.Helper()
	r, err := keys.Open(d, "/keys.db", kek, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKeysComeBack(t *testing.T) {
	d := disktest.New(1 << 20)
	r := ring(t, d)
	sealed := map[uint64][]byte{}
	for i := range 300 { // more than the room that the file begins with
		k, err := r.Session(fmt.Sprintf("user%d", i%7), fmt.Sprintf("session%d", i))
		if err != nil {
			t.Fatal(err)
		}
		sealed[k.ID] = k.AEAD.Seal(nil, make([]byte, 12), []byte("text"), nil)
	}
	if !r.Dirty() {
		t.Error("new keys are not to be flushed")
	}
	if err := r.Flush(); err != nil || r.Dirty() {
		t.Errorf("flush: %v", err)
	}
	sub := r.Subkey("label")
	r = ring(t, d.Crash(nil))
	if !bytes.Equal(r.Subkey("label"), sub) || bytes.Equal(r.Subkey("other"), sub) {
		t.Error("subkeys are not the same each time, and different for each label")
	}
	for i := range 300 {
		user, name := fmt.Sprintf("user%d", i%7), fmt.Sprintf("session%d", i)
		if _, ok := r.Known(user, name); !ok {
			t.Errorf("%s of %s is not known", name, user)
		}
		k, err := r.Session(user, name)
		if err != nil {
			t.Fatal(err)
		}
		same, err := r.Get(k.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := same.AEAD.Open(nil, make([]byte, 12), sealed[k.ID], nil); err != nil {
			t.Errorf("key %d: %v", k.ID, err)
		}
	}
	if r.Dirty() {
		t.Error("old keys were made anew")
	}
	if _, ok := r.Known("user1", "session0"); ok {
		t.Error("a session is known to a user whose it is not")
	}
}

func TestVaultKeys(t *testing.T) {
	d := disktest.New(1 << 20)
	r := ring(t, d)
	if _, ok := r.VaultID("alice"); ok {
		t.Error("there is a vault that nobody made")
	}
	get := func(principal string) *keys.Key {
		t.Helper()
		k, err := r.Vault(principal)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	alice, bob := get("alice"), get("bob")
	session, err := r.Session("alice", "")
	if err != nil {
		t.Fatal(err)
	}
	if alice.ID == bob.ID || alice.ID == session.ID || get("alice").ID != alice.ID {
		t.Error("not one vault for each principal")
	}
	if _, err := r.Get(alice.ID); err == nil {
		t.Error("a vault's key opens as a session's")
	}
	if _, err := r.GetVault(session.ID); err == nil {
		t.Error("a session's key opens as a vault's")
	}
	if bytes.Equal(alice.Derive("a"), bob.Derive("a")) || bytes.Equal(alice.Address, bob.Address) {
		t.Error("two vaults have the same secrets")
	}
	sealed := alice.AEAD.Seal(nil, make([]byte, 12), []byte("value"), nil)
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	r = ring(t, d.Crash(nil))
	if id, ok := r.VaultID("alice"); !ok || id != alice.ID {
		t.Errorf("vault %d, %v, want %d", id, ok, alice.ID)
	}
	again, err := r.GetVault(alice.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.AEAD.Open(nil, make([]byte, 12), sealed, nil); err != nil || !bytes.Equal(again.Address, alice.Address) {
		t.Errorf("after a restart the key is another: %v", err)
	}
	if _, err := get("bob").AEAD.Open(nil, make([]byte, 12), sealed, nil); err == nil {
		t.Error("bob opens what is alice's")
	}
}

func TestUnflushedKeysAreForgotten(t *testing.T) {
	d := disktest.New(1 << 20)
	r := ring(t, d)
	kept, err := r.Session("user", "kept")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	lost, err := r.Session("user", "lost")
	if err != nil {
		t.Fatal(err)
	}
	r = ring(t, d.Crash(nil))
	if _, err := r.Get(kept.ID); err != nil {
		t.Error(err)
	}
	_, known := r.Known("user", "lost")
	if _, err := r.Get(lost.ID); err == nil || known {
		t.Error("a key that was not flushed is there after a crash")
	}
	again, err := r.Session("user", "other")
	if err != nil || again.ID != lost.ID {
		t.Errorf("the next key has number %d, %v, want %d", again.ID, err, lost.ID)
	}
}

func TestWrongKeyAndDamage(t *testing.T) {
	d := disktest.New(1 << 20)
	r := ring(t, d)
	k, err := r.Session("user", "session")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(d, "/keys.db", bytes.Repeat([]byte{8}, keys.Size), time.Now); !errors.Is(err, keys.ErrKEK) {
		t.Errorf("another key-encryption key: %v", err)
	}
	if _, err := keys.Open(d, "/keys.db", kek[:5], time.Now); err == nil {
		t.Error("a short key-encryption key is taken")
	}
	if got := d.Bytes("/keys.db"); bytes.Contains(got, []byte("user")) || bytes.Contains(got, []byte("session")) {
		t.Error("names stand in the file")
	}
	d.Change("/keys.db", func(b []byte) []byte { b[int(k.ID)*128+80] ^= 1; return b })
	if _, err := ring(t, d).Get(k.ID); err == nil {
		t.Error("a damaged key opens")
	}
	d.Change("/keys.db", func(b []byte) []byte { b[0] ^= 1; return b })
	if _, err := keys.Open(d, "/keys.db", kek, time.Now); err == nil {
		t.Error("a file without its head is taken")
	}
}

// TestANameIsNotMoved: who writes the file without having the key-encryption key can't give
// one session's name to another's key.
func TestANameIsNotMoved(t *testing.T) {
	d := disktest.New(1 << 20)
	r := ring(t, d)
	session := func(name string) *keys.Key {
		t.Helper()
		k, err := r.Session("user", name)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	session("first")
	session("second")
	if !r.Low() {
		t.Fatal("sessions keep coming, and no keys are to be made")
	}
	if err := r.Restock(); err != nil {
		t.Fatal(err)
	}
	a, b := session("a"), session("b")
	if r.Dirty() || a.ID == b.ID {
		t.Fatalf("keys made ahead are not used: %d, %d", a.ID, b.ID)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	r = ring(t, d)
	if len(r.Unnamed()) > 0 || session("a").ID != a.ID || session("b").ID != b.ID {
		t.Fatal("after a restart the sessions have other keys")
	}
	d.Change("/keys.db", func(file []byte) []byte {
		for at := 128; at < len(file); at += 128 {
			slot := file[at : at+128]
			if of := binary.LittleEndian.Uint64(slot[8:]); of == a.ID {
				binary.LittleEndian.PutUint64(slot[8:], b.ID)
			} else if of == b.ID {
				binary.LittleEndian.PutUint64(slot[8:], a.ID)
			} else {
				continue
			}
			binary.LittleEndian.PutUint32(slot, crc32.Checksum(slot[4:], crc32.MakeTable(crc32.Castagnoli)))
		}
		return file
	})
	r = ring(t, d)
	if k, err := r.Session("user", "a"); err == nil {
		t.Errorf("a session goes on under key %d, which was another's", k.ID)
	}
	if id, ok := r.Known("user", "a"); ok {
		t.Errorf("the session is known by key %d", id)
	}
}
