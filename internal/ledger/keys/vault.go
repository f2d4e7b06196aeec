package keys

import "fmt"

// Vault gives the key of a principal's vault, made when it is new.
func (r *Ring) Vault(principal string) (*Key, error) {
	hash := r.hash(vault, principal, "")
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok := r.byName[[16]byte(hash[:16])]; ok {
		return r.vault(id)
	}
	parent, key, err := r.user(principal)
	if err != nil {
		return nil, err
	}
	id, raw, err := r.add(vault, parent, key, hash)
	if err != nil {
		return nil, err
	}
	return r.keep(id, raw)
}

// VaultID gives the id of the key of a principal's vault, if there is one.
func (r *Ring) VaultID(principal string) (id uint64, ok bool) {
	hash := r.hash(vault, principal, "")
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok = r.byName[[16]byte(hash[:16])]
	return id, ok
}

// GetVault opens the vault key with an id.
func (r *Ring) GetVault(id uint64) (*Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.vault(id)
}

func (r *Ring) vault(id uint64) (*Key, error) {
	if k := r.vaults[id]; k != nil {
		return k, nil
	}
	s, err := r.slot(id)
	if err != nil {
		return nil, err
	}
	if s.kind != vault {
		return nil, fmt.Errorf("key %d is no vault's key", id)
	}
	raw, err := r.unwrap(id, s)
	if err != nil {
		return nil, err
	}
	return r.keep(id, raw)
}

func (r *Ring) keep(id uint64, raw []byte) (*Key, error) {
	k, err := openVault(id, raw)
	if err != nil {
		return nil, err
	}
	if r.vaults == nil {
		r.vaults = map[uint64]*Key{}
	}
	r.vaults[id] = k
	return k, nil
}
