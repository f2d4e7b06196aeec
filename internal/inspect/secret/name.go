package secret

import "strings"

// kind says what a name promises of its value.
type kind int

const (
	noSecret kind = iota
	aKey          // "key": nearly anything may be called so
	aToken        // token, auth, api key, credential
	aSecret       // secret, private key
	aPassword
)

// kinds gives the kind of the words that name a secret.
var kinds = map[string]kind{
	"password": aPassword, "passwd": aPassword, "passwort": aPassword, "pwd": aPassword, "passphrase": aPassword, "pass": aPassword,
	"pw": aPassword, "psw": aPassword, "passcode": aPassword, "passwords": aPassword, "senha": aPassword, "contrasena": aPassword, "kennwort": aPassword,
	"motdepasse": aPassword, "passw": aPassword, "userpass": aPassword, "dbpass": aPassword, "dbpassword": aPassword, "userpassword": aPassword, "pgpassword": aPassword, "mypassword": aPassword, "requirepass": aPassword, "masterauth": aPassword, "sshpass": aPassword, "rootpw": aPassword, "bindpw": aPassword, "adminpw": aPassword, "dbpasswd": aPassword, "dbpw": aPassword, "adminpassword": aPassword, "rootpassword": aPassword, "storepass": aPassword, "keypass": aPassword, "storepassword": aPassword, "keypassword": aPassword,
	"secret": aSecret, "secrets": aSecret, "clientsecret": aSecret, "appsecret": aSecret, "secretkey": aSecret, "privatekey": aSecret, "sharedsecret": aSecret,
	"token": aToken, "tokens": aToken, "apitoken": aToken, "authtoken": aToken, "accesstoken": aToken, "apikey": aToken, "apikeys": aToken, "appkey": aToken, "authkey": aToken, "accesskey": aToken, "accountkey": aToken, "masterkey": aToken,
	"auth": aToken, "authorization": aToken, "authentication": aToken, "credential": aToken, "credentials": aToken, "creds": aToken, "cred": aToken, "apipass": aPassword, "bearer": aToken, "jwt": aToken, "pat": aToken, "sid": aKey, "sessionid": aKey, "verifier": aKey, "accessor": noSecret, "license": aKey, "seed": aKey, "api": aKey,
	"nonce": aKey, "salt": aKey, "cookie": aKey, "session": aKey, "webhook": aKey, "login": aKey,
	"key": aKey, "keys": aKey, "encryptionkey": aToken, "signingkey": aToken, "consumerkey": aToken,
}

// tells are words that make a plain "key" a token.
var tells = map[string]bool{
	"api": true, "access": true, "secret": true, "private": true, "auth": true, "account": true, "master": true, "encryption": true, "encrypt": true,
	"signing": true, "sign": true, "service": true, "app": true, "application": true, "client": true, "consumer": true, "shared": true, "admin": true, "server": true, "license": true,
	"root": true, "write": true, "read": true, "deploy": true, "hmac": true, "aes": true, "session": true, "integration": true, "project": true, "rest": true, "storage": true, "subscription": true, "ingest": true, "ingestion": true, "webhook": true, "bot": true, "user": true, "developer": true, "dev": true, "prod": true, "live": true, "sandbox": true, "stripe": true, "decryption": true, "refresh": true, "bearer": true, "system": true,
}

// harmless are words after which a name no longer holds the secret itself.
var harmless = setOf(`id ids name names url uri urls file files filename path paths type types length len size count index field fields label hint
		title text policy expiry expires expiration expired expire ttl limit limits algorithm alg algo format prefix suffix regex pattern regexp column
		param parameter env envvar var variable ref reference arn version provider manager store stores storage dir directory endpoint host
		hostname port usage rotation enabled valid error errors msg message placeholder input form reset page link table
		char chars bits mode status state map list set pair ring board code codes press pressed frame up down event events stroke binding chain
		space gen func function handler callback class style source scheme method methods strategy confirmation confirm
		validator validation validate strength encoder generator factory helper service client server module package
		date time timestamp age issuer audience scope scopes grant realm domain region zone group role user username
		email hashes alias aliases label kind owner tag tags key_id keyid lifetime duration interval timeout
		max min minimum maximum required optional exists missing found changed updated created request response result
		results required transform info config settings options option properties property metadata template templates example
		examples doc docs description comment help mapping mappings schema model object entry entries value_from valuefrom
		secretref bucket prompt prompts budget per cost price rate window headers header body query string_length location
		flow nonces used left right count total in out plugin provided change setup sec seconds minutes ms
		handling management parser parse lexer position pos offset stream embedding embeddings word words vocab tokenizer ization izer
		gate guard middleware filter check checker backend controller router route routes view component widget button icon
		needed support supported access_type verified verification notice warning rules rule db only first last next prev encryption loader
		identifier identifiers arn arns keeper resolver signature_method timestamp_format auth_method agent method_not flows oauth_version body_hash`)

// besides are words before "key" or "token" that make it something else.
var besides = setOf(`public pub primary foreign partition sort cache hot shortcut csrf xsrf next page pagination continuation cursor max min num total
		prompt completion reasoning cached idempotency translation i18n react dict map row unique group routing object
		hash order search lookup composite natural surrogate index registry config property event field arrow enter
		tab escape function media num_ stop start eos bos pad sep cls mask unk special n_ count per input output remaining
		used new_tokens ssh_public verify verification gpg-public checksum json xml css html parse lexer syntax symbol current prev previous last first any each
		request change update import lock sync delta resume position fencing cancellation cancel confirmation etag watch shard blob_ sharing
		thread operation ops run task job seek stream_ page_ ping poll upload_ list authenticity verification antiforgery skip`)

func setOf(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// nameKind judges a name: DB_PASSWORD, spring.datasource.password,
// --registration-token, apiKey. The last word that names a secret counts,
// unless a word after it makes it harmless.
func nameKind(name []byte) kind {
	var words [16][]byte
	var room [2 * maxName]byte // a longer name moves to the heap
	n, small := 0, room[:0]
	pieces(name, func(piece []byte) bool {
		from := len(small)
		for _, c := range piece {
			small = append(small, lower(c))
		}
		words[n] = small[from:]
		n++
		return n < len(words)
	})
	if n > 1 && string(words[n-1]) == "signature" && string(words[0]) == "oauth" {
		return aKey
	}
	for i := n - 1; i >= max(0, n-5); i-- { // more behind it is no name
		word := string(words[i])
		k, known := kinds[word]
		if !known {
			k, known = ending(word)
		}
		switch {
		case known:
			return refine(k, word, words[:i], n-i-1)
		case harmless[word]:
			return noSecret
		case isDigit(words[i][0]) || len(word) == 1:
			continue
		case n-1-i >= 1:
			return noSecret
		}
	}
	return noSecret
}

// ending finds a secret's word at the end of a word written as one:
// "mysqlpassword", "usertoken".
func ending(word string) (kind, bool) {
	for _, end := range []string{"password", "passwd", "passphrase", "secret", "token", "apikey", "pwd", "secretkey", "accesskey", "key", "pass", "credentials"} {
		if len(word) > len(end) && word[len(word)-len(end):] == end {
			if end == "key" || end == "pass" {
				if k := word[:len(word)-len(end)]; k == "mon" || k == "tur" || k == "hot" || k == "don" || k == "whis" || k == "by" || k == "com" || k == "sur" || k == "tres" || k == "bi" || k == "over" || k == "under" || k == "hoc" || k == "joc" || k == "lac" {
					return noSecret, false
				}
				if end == "pass" {
					return aPassword, true
				}
			}
			return kinds[end], true
		}
	}
	return noSecret, false
}

// refine looks at the words before the one that names a secret.
func refine(k kind, word string, before [][]byte, after int) kind {
	if k == aPassword || len(before) == 0 {
		return k
	}
	last := string(before[len(before)-1])
	if besides[last] {
		return noSecret
	}
	if word == "key" || word == "keys" {
		if last == "private" || last == "secret" {
			return aSecret
		}
		if tells[last] {
			return aToken
		}
	}
	return k
}
