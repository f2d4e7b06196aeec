package secret_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
)

// The texts and values of these tables are stored rotated, as the examples in
// the rules are.

func TestValuesAreFoundAsTheyStand(t *testing.T) {
	_, set := engine(t)
	for _, test := range []struct{ name, rule, text, value string }{
		{"env", "password", "QO_CNFFJBEQ=u9md3Ex\n", "u9md3Ex"},
		{"yaml", "password", "  cnffjbeq: u9md3Ex", "u9md3Ex"},
		{"json", "password", "{\"hfre\":\"n\",\"cnffjbeq\":\"u9md3Ex\"}", "u9md3Ex"},
		{"json in a string", "password", "\"{\\\"cnffjbeq\\\":\\\"u9md3Ex\\\"}\"", "u9md3Ex"},
		{"html entities", "password", "{&#89;cnffjbeq&#89;: &#89;u9md3Ex&#89;}", "u9md3Ex"},
		{"xml", "password", "<cnffjbeq>u9md3Ex</cnffjbeq>", "u9md3Ex"},
		{"flag", "password", "gbby --cnffjbeq u9md3#Ex --hfre n", "u9md3#Ex"},
		{"flag with =", "password", "gbby --qo-cnffjbeq=u9md3Ex", "u9md3Ex"},
		{"index", "password", "cebprff.rai['CTCNFFJBEQ'] = 'u9md3Ex'", "u9md3Ex"},
		{"arrow", "password", "cnffjbeq   =>   'u9md3Ex'", "u9md3Ex"},
		{"go", "password", "cnffjbeq := []olgr(\"u9md3Ex\")", "u9md3Ex"},
		{"typed", "password", "pbafg cnffjbeq: fgevat = \"u9md3Ex\";", "u9md3Ex"},
		{"sql", "password", "PERNGR EBYR n YBTVA CNFFJBEQ 'u9md3Ex'", "u9md3Ex"},
		{"comparison", "password", "vs cnffjbeq == \"u9md3Ex#6\" {", "u9md3Ex#6"},
		{"triple quotes", "password", "cnffjbeq = \"\"\"u9md3Ex\"\"\"", "u9md3Ex"},
		{"apostrophe inside", "password", "cnffjbeq: \"u9m'd3Ex\",", "u9m'd3Ex"},
		{"url in a query", "assigned-secret", "uggc://ubfg/pnyyonpx?bnhgu_gbxra=w3k2d44me28qg6ap&k=6", "w3k2d44me28qg6ap"},
		{"setter", "assigned-secret", "pyvrag.FrgNhguGbxra(\"w3k2d44me28qg6ap\")", "w3k2d44me28qg6ap"},
		{"fallback of a getter", "assigned-secret", "hgvyf.TrgRaiBeQrsnhyg(\"ncv_gbxra\", \"w3k2d44me28qg6ap\")", "w3k2d44me28qg6ap"},
		{"uuid", "assigned-secret", "npprff_gbxra: \"2q4n2362-r791-93s8-46n2-r32108q032o3\"", "2q4n2362-r791-93s8-46n2-r32108q032o3"},
		{"terraform", "assigned-secret", "pyvrag_frperg = \"w3k2d44me28qg6ap\"", "w3k2d44me28qg6ap"},
		{"a word apart", "assigned-secret", "Frperg Xrl: \"w3k2d44me28qg6ap\"", "w3k2d44me28qg6ap"},
		{"scheme in the value", "assigned-secret", "\"nhgubevmngvba\": \"Gbxra w3k2d44me28qg6ap\"", "w3k2d44me28qg6ap"},
		{"letters only", "assigned-secret", "wjg_frperg=eadujasdkjxhmfs\n", "eadujasdkjxhmfs"},
		{"plain key", "assigned-key", "xrl: 'rugyfpl72kvkse98533dqdyqma3491kf'", "rugyfpl72kvkse98533dqdyqma3491kf"},
		{"bearer", "auth-header", "-U \"Nhgubevmngvba: Ornere w3k2d44me28qg6ap\"", "w3k2d44me28qg6ap"},
		{"basic", "auth-header", "'Cebkl-Nhgubevmngvba: Onfvp p8Mwnwcd'", "p8Mwnwcd"},
		{"curl", "command-user", "phey -h fip:u9md3Ex uggcf://ubfg/", "u9md3Ex"},
		{"curl, two pairs of quotes", "command-user", "phey --hfre fip:'u9md3Ex' uggcf://ubfg/", "u9md3Ex"},
		{"curl, token alone", "command-user", "phey -h \"w3k2d44me28qg6ap:\" uggcf://ubfg/", "w3k2d44me28qg6ap"},
		{"url", "url-password", "erqvf://:u9md3Ex@pnpur.vagreany:1824/5", "u9md3Ex"},
		{"url with an escape", "url-password", "nzdc://fip:u9m%95d3Ex@zd.vagreany/", "u9m%95d3Ex"},
		{"url with a slash", "url-password", "cbfgterf://fip:u9m/d3Ex@qo.vagreany/ncc", "u9m/d3Ex"},
		{"two providers words", "provider-key", "qvtvgny bprna gbxra w3k2d44me28qg6ap", "w3k2d44me28qg6ap"},
		{"provider as part of a name", "provider-key", "ZNCOBK_NPPRFF_GBXRA: w3k2d44me28qg6ap", "w3k2d44me28qg6ap"},
		{"provider, two words and no value of theirs", "provider-key", "ZNCOBK_NPPRFF_XRL_VQ=w3k2d44me28qg6ap", "w3k2d44me28qg6ap"},
		{"openssl", "openssl-pass", "bcraffy traefn -cnffbhg cnff:u9md3Ex 9541", "u9md3Ex"},
		{"crypt", "password-hash", "ebbg:$1$EwX7fLc3$VdM4jE6bR2aT5uQ8kW0oL1pZ9xC/vB.mN7gG3h:64555:5:44444:2:::", "$1$EwX7fLc3$VdM4jE6bR2aT5uQ8kW0oL1pZ9xC/vB.mN7gG3h"},
		{"otp", "otp-seed", "bgcnhgu://gbgc/ubfg:zr?frperg=WOFJL8QCRUCX8CKC&vffhre=ubfg", "WOFJL8QCRUCX8CKC"},
		{"docker", "docker-auth", "{\"nhguf\":{\"e.vagreany\":{\"nhgu\":\"p8MwBzt5raR9Hzfg\"}}}", "p8MwBzt5raR9Hzfg"},
		{"pgpass", "pgpass", "qo.vagreany:0987:*:fip:u9md3Exj\n", "u9md3Exj"},
		{"query of a url", "url-key", "uggcf://ncv.vagreany/i6/zncf?ncv_xrl=w3k2d44me28qg6ap&k=6", "w3k2d44me28qg6ap"},
		{"named member", "assigned-secret", "{\"anzr\": \"NCV_XRL\", \"inyhr\": \"w3k2d44ze28qg6ap\"}", "w3k2d44ze28qg6ap"},
		{"named member with others between", "assigned-secret", "{\"anzr\":\"ncv_xrl\",\"glcr\":\"fgevat\",\"frafvgvir\":gehr,\"inyhr\":\"w3k2d44ze28qg6ap\"}", "w3k2d44ze28qg6ap"},
		{"environment of Kubernetes", "assigned-secret", "- anzr: FREIVPR_GBXRA\n  inyhr: w3k2d44ze28qg6ap\n", "w3k2d44ze28qg6ap"},
		{"password of Kubernetes", "password", "- anzr: QO_CNFFJBEQ\n  inyhr: \"u9md3Ex\"\n", "u9md3Ex"},
		{"attributes", "assigned-secret", "<nqq xrl=\"PyvragFrperg\" inyhr=\"w3k2d44ze28qg6ap\" />", "w3k2d44ze28qg6ap"},
		{"form", "password", "<vachg glcr=\"cnffjbeq\" anzr=\"cnffjbeq\" inyhr=\"u9md3Ex\">", "u9md3Ex"},
		{"property list", "assigned-secret", "<xrl>ncvGbxra</xrl>\n  <fgevat>w3k2d44ze28qg6ap</fgevat>", "w3k2d44ze28qg6ap"},
		{"two flags", "assigned-secret", "gbby chg --anzr /cebq/npprff_gbxra --inyhr w3k2d44ze28qg6ap --birejevgr", "w3k2d44ze28qg6ap"},
		{"body of a secret", "assigned-secret", "gbby frperg frg NCV_XRL --obql w3k2d44ze28qg6ap", "w3k2d44ze28qg6ap"},
		{"default of a variable", "assigned-secret", "inevnoyr \"ncv_gbxra\" {\n  glcr    = fgevat\n  qrsnhyg = \"w3k2d44ze28qg6ap\"\n}", "w3k2d44ze28qg6ap"},
		{"cell", "assigned-secret", "| ncv gbxra | w3k2d44ze28qg6ap |\n", "w3k2d44ze28qg6ap"},
		{"bold label", "assigned-secret", "- **NCV xrl**: `w3k2d44ze28qg6ap`\n", "w3k2d44ze28qg6ap"},
		{"bold label and colon", "assigned-secret", "- **NCV xrl:** w3k2d44ze28qg6ap\n", "w3k2d44ze28qg6ap"},
		{"line below", "assigned-secret", "Pyvrag frperg:\nw3k2d44ze28qg6ap\n", "w3k2d44ze28qg6ap"},
		{"scheme of its own", "assigned-secret", "FREIVPR_GBXRA=\"NpzrI6 npz_w3k2d44ze28qg6apj59imm0\"", "npz_w3k2d44ze28qg6apj59imm0"},
		{"word before", "assigned-secret", "gur jroubbx fvtavat xrl: \"w3k2d44ze28qg6ap\"", "w3k2d44ze28qg6ap"},
		{"variable that ends in pat, no blank", "assigned-secret", "NPZR_CNG=w3k2d44ze28qg6ap\n", "w3k2d44ze28qg6ap"},
		{"variable that ends in pat", "assigned-secret", "tvguhoCng = \"w3k2d44ze28qg6ap\"", "w3k2d44ze28qg6ap"},
		{"sentence", "near-key", "cyrnfr hfr gur erserfu gbxra w3k2d44ze28qg6ap hagvy gura", "w3k2d44ze28qg6ap"},
		{"sentence, uuid", "near-key", "cyrnfr hfr gur erserfu gbxra 2q6sn7p9-48or-9p53-n6s0-1r75q3o2p840 hagvy gura", "2q6sn7p9-48or-9p53-n6s0-1r75q3o2p840"},
		{"sentence, password", "near-key", "ybt va jvgu gur cnffjbeq x8k2u7x44we hagvy gura", "x8k2u7x44we"},
		{"user of a url", "url-password", "tvg pybar uggcf://w3k2d44ze28qg6apj59i@ubfg.vagreany/n.tvg", "w3k2d44ze28qg6apj59i"},
		{"marked form", "token-form", "vg fnvq npzr_yvir_w3K2d44Ze28qG6ap", "npzr_yvir_w3K2d44Ze28qG6ap"},
		{"mark as an end", "token-form", "npzrcng_w3K2d44Ze28qG6ap", "npzrcng_w3K2d44Ze28qG6ap"},
		{"form", "token-form-digits", "vg fnvq dmk_w3K2d44Ze28qG6apJ59iMo1Lx7UfCq", "dmk_w3K2d44Ze28qG6apJ59iMo1Lx7UfCq"},
		{"columns", "assigned-secret", "Vafgnapr Vq       9\nNpprff Gbxra      w3k2d44ze28qg6ap\n", "w3k2d44ze28qg6ap"},
		{"below a sentence", "near-key", "urer vf gur ncv gbxra gung lbh nfxrq sbe:\n\nw3k2d44ze28qg6ap\n\ngunaxf", "w3k2d44ze28qg6ap"},
		{"block of code", "near-key", "ncv gbxra:\n```\nw3k2d44ze28qg6ap\n```\n", "w3k2d44ze28qg6ap"},
	} {
		text, want := inspect.Rotate(test.text), inspect.Rotate(test.value)
		ok := false
		for _, m := range alone(t, set, test.rule).Scan([]byte(text), inspect.Options{}).Matches {
			ok = ok || string(m.Secret) == want
		}
		if !ok {
			t.Errorf("%s: %s does not find the value", test.name, test.rule)
		}
	}
}

// alone gives an engine with one rule of the set.
func alone(t *testing.T, set *inspect.Set, id string) *inspect.Engine {
	t.Helper()
	one := *set
	one.Rules = nil
	for _, r := range set.Rules {
		if r.ID == id {
			one.Rules = append(one.Rules, r)
		}
	}
	e, err := inspect.Compile(secret.Library(), &one)
	if err != nil || len(one.Rules) != 1 {
		t.Fatalf("compiling %s alone: %v", id, err)
	}
	return e
}

func TestWhatOnlyLooksLikeASecretIsLeftAlone(t *testing.T) {
	e, _ := engine(t)
	for _, test := range []struct{ name, text string }{
		{"id of a key", "xrl_vq: \"3q2s1n0r9p8o7n64k\""},
		{"id of an API key", "\"ncv_xrl_vq\": \"w3k2d44me28qg6ap\""},
		{"hint of a secret", "frperg_uvag = \"w3k2d44me28qg6ap\""},
		{"one letter", "cnffjbeq: \"nnnnnnnn\""},
		{"basic of a handbook", "Nhgubevmngvba: Onfvp qKAypwcjLKAmq74lMN=="},
		{"url without a host", "frr uggc://n:o4k3p2@ sbe zber"},
		{"no token", "rlWnnnnnnnnnnnnnn.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.nnnnnnnnnnnnnnnnnnnnnnnnnnnnn"},
		{"working folder by name", "CJQ=/fei/o4k3p2d/w9x7"},
		{"seed with a wrong checksum", "FHNVSALB0M2EHHOMK8LU0DEHC9QT0HRCYKQIPWPU9ANRTNNPAAKSVIW2BN"},
		{"flag of a name", "gbby --gbxra-anzr w3k2d44me28qg6ap"},
		{"variable", "cnffjbeq := pbasvt.Cnffjbeq"},
		{"environment", "cnffjbeq = bf.raiveba[\"QO_CNFFJBEQ\"]"},
		{"getenv", "qoCnffjbeq := bf.Trgrai(\"QO_CNFFJBEQ\")"},
		{"shell variable", "rkcbeg QO_CNFFJBEQ=$FRPERG"},
		{"template", "cnffjbeq: {{ .Inyhrf.cnffjbeq }}"},
		{"github", "gbxra: ${{ frpergf.TVGUHO_GBXRA }}"},
		{"format", "cnffjbeq=%f"},
		{"windows variable", "frg CNFFJBEQ=%QOCNFF%"},
		{"placeholder", "NCV_XRL=lbhe-ncv-xrl-urer"},
		{"brackets", "cnffjbeq: <lbhe cnffjbeq>"},
		{"stars", "cnffjbeq: ********"},
		{"label", "\"cnffjbeq\": \"Cnffjbeq\""},
		{"translation", "\"cnffjbeq\": \"Cnffjbeg\""},
		{"sentence", "cnffjbeq: zhfg or ng yrnfg 3 punenpgref"},
		{"function", "gbxra = trgGbxra(pyvrag)"},
		{"method", "gbxra: guvf.gbxra.inyhr,"},
		{"tokens", "znk_gbxraf: 9541"},
		{"tokens used", "\"gbgny_gbxraf\": 673829"},
		{"page", "\"arkg_cntr_gbxra\": \"PNHDNN4k3q2s1t0u9w8x7\""},
		{"type", "cnffjbeq: fgevat;"},
		{"null", "cnffjbeq = Abar"},
		{"name", "frpergAnzr: qo-perqragvnyf-i7"},
		{"file", "gbxra_svyr: /ine/eha/frpergf/gbxra"},
		{"commit", "pbzzvg 0nno95r988582078pp25ns2q8349n5sn67890123"},
		{"hash", "fun701: 9o6q4p3r2s1n0o9p8q7r6s5n4o3p2q1r0s9n8o7p6q5r4s3n2o1p0q9r8s7n6o5p"},
		{"integrity", "\"vagrtevgl\": \"fun067-4k3q2s1t0u9w8x74k3q2s1t0u9w8x7==\""},
		{"uuid", "vq: 2q4n2362-r791-93s8-46n2-r32108q032o3"},
		{"working folder", "CJQ=/ubzr/qri/cebwrpg"},
		{"working folder in code", "rai = nccraq(rai, \"CJQ=\"+qve)"},
		{"public key", "choyvp_xrl = \"4Pamw9c9JTrXYf6Cg3DhXHcEXsSYsELP4NVXwoWGJvg\""},
		{"row key", "\"cnegvgvba_xrl\": \"n3s2r1q0p9o8n746\""},
		{"cache key", "\"cebzcg_pnpur_xrl\":\"56n7681q-1211-24n7-o244-10no81866o7n\""},
		{"handbook url", "cbfgterf://hfre:cnffjbeq@ybpnyubfg/qo"},
		{"url without a password", "uggcf://hfre@ubfg/cngu"},
		{"url with a port", "uggc://ubfg:3535/n@o"},
		{"ssh", "tvg pybar ffu://tvg@ubfg:77/n.tvg"},
		{"bearer variable", "Nhgubevmngvba: Ornere $GBXRA"},
		{"bearer word", "Ornere nhguragvpngvba vf erdhverq"},
		{"basic word", "Onfvp hfntr bs gur yvoenel"},
		{"test output", "--- CNFF: GrfgIrg/0 (5.55f)"},
		{"number", "FVBPFCNFF = 5k35532992"},
		{"resource", "nea:njf:frpergfznantre:hf-jrfg-7:678901234567:frperg:ZlGrfgFrperg-n6o7p8"},
		{"escapes", "enjGbxra(\"\\k58f\\i\\k50f7\\k65\\k56\")"},
		{"flag of an id", "njf xzf qrfpevor-xrl --xrl-vq 6789nopq-67no-89pq-01rs-6789012345no"},
		{"alphabet", "pbafg xrlFge = \"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm5678901234\""},
		{"go.sum", "tvguho.pbz/tb-nhgu/frperg i5.9.5 u6:63yq/hj4Ee2IxAvr2n2EZNpSVJeWqyHY04GJTsph085="},
		{"public block", "-----ORTVA CHOYVP XRL-----\nZVVOVwNAOtxduxvT4j5ONDRSNNBPND3NZVVOPtXPNDRN\n-----RAQ CHOYVP XRL-----"},
		{"redacted block", "-----ORTVA CEVINGR XRL-----\n...\n-----RAQ CEVINGR XRL-----"},
		{"shortened block", "-----ORTVA EFN CEVINGR XRL-----\nZVVRbjVONOXPNDRNdXcEtaa1ld71H8lg0LSMdhlhxsEwoZK...siL9+gr\n-----RAQ EFN CEVINGR XRL-----"},
		{"thinking signature", "{\"glcr\":\"guvaxvat\",\"fvtangher\":\"RdDOPxtVNENOTNVvDY3k2q1s0t9u8w7x6\"}"},
		{"reference of Kubernetes", "- anzr: FREIVPR_GBXRA\n  inyhrSebz:\n    frpergXrlErs:\n      anzr: freivpr\n"},
		{"member of a type", "{\"anzr\": \"ncv_gbxra\", \"glcr\": \"fgevat\", \"inyhr\": \"qrfpevcgvba\"}"},
		{"cell of a manual", "| ncv_gbxra | fgevat | erdhverq |\n"},
		{"pipe", "png gbxra | fun6fhz"},
		{"token of a form", "<vachg glcr=\"uvqqra\" anzr=\"nhguragvpvgl_gbxra\" inyhr=\"w3k2d44ze28qg6apj59i\" />"},
		{"line below that is prose", "Gbxra:\ngur bar gung lbh unir orra tvira\n"},
		{"id of a call", "\"gbbyh_56N54d45Dj45Yd462380yuQf9Kp97aEoL0\""},
		{"id of an answer", "erfc_12p4sqprps933645oqq4n5954qr8n6rp52o3o5nq9r0ro109"},
		{"name of an object", "ncv-2q4s3o1p0q-k7k9m"},
		{"name of a file", "frr ercbeg-7579-N6o7P8q9R0s1T2u3V4w5X6y7Z8a9.ugzy"},
		{"class with a hash", "znva_vaqrk_unaqyre_5678901234nopqrs5678901234nopqrs"},
		{"user of a url", "uggcf://fbzrbar@ubfg.vagreany/n.tvg"},
		{"commit in an image", "ertvfgel.vagreany/freivpr/ncc_yvir_9s7n4p36q2r58o01n9s7n4p36q2r58o01n9s7n4p"},
		{"test by name", "cxt_grfg_GrfgUnaqyreErgheaf959JuraAbgSbhaq"},
		{"sentence", "gur npprff gbxra 7 bs 8 vf rkcverq"},
		{"password of a sentence", "gur cnffjbeq erfrg7tb cntr"},
		{"columns of a manual", "  gbxra           erdhverq\n  cnffjbeq        fgevat67\n"},
		{"below a sentence that is prose", "urer vf jung gur gbxra qbrf:\n\nnhguragvpngrf7lbh\n"},
	} {
		for _, m := range e.Scan([]byte(inspect.Rotate(test.text)), inspect.Options{}).Matches {
			t.Errorf("%s: %s found %s", test.name, m.Rule.ID, inspect.Rotate(string(m.Secret)))
		}
	}
}
