package pii_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/pii"
)

// Numbers that authorities, standards and the manuals of validators print as
// examples; those with a check are wrong when the last digit is another one. They are stored rotated,
// as the examples in the rules are.
func TestChecksKnowPublishedNumbers(t *testing.T) {
	checks := pii.Library().Checks
	for _, test := range []struct{ check, value string }{
		{"at-svnr", "6782 565635"},
		{"be-nn", "30.52.85-588.73"},
		{"bg-egn", "2078614718"},
		{"ch-ahv", "201.4762.5214.30"},
		{"cz-rc", "265864/7290"},
		{"de-idnr", "81 029 716 354"},
		{"de-rvnr", "60525194P658"},
		{"de-kvnr", "N555055560"},
		{"dk-cpr", "766517-0174"},
		{"ee-ik", "81350735654"},
		{"ee-ik", "88854795519"},
		{"es-dni", "09817860-X"},
		{"es-dni", "67890123M"},
		{"es-dni", "K-0708313-E"},
		{"es-nss", "736789012395"},
		{"fi-hetu", "686507-853G"},
		{"fr-nir", "7 40 65 44 671 666 48"},
		{"fr-spi", "8578762155508"},
		{"gb-nhs", "498 921 0325"},
		{"gb-nino", "NO678901P"},
		{"gb-utr", "6400384116"},
		{"gb-licence", "ZBETN208661FZ4VW"},
		{"gr-amka", "56568544442"},
		{"gr-afm", "549704761"},
		{"hr-oib", "88847550416"},
		{"hu-taj", "666666665"},
		{"hu-tax", "3526047608"},
		{"ie-pps", "1988980S"},
		{"ie-pps", "1988980BN"},
		{"is-kt", "905956-8605"},
		{"it-cf", "EPPZAY38F63Q414U"},
		{"it-cf", "EFFZEN30G65N017F"},
		{"it-iva", "55298665602"},
		{"jmbg", "5656551055551"},
		{"lu-nin", "6348675650287"},
		{"lv-pk", "616620-64442"},
		{"nl-bsn", "6667.77.888"},
		{"no-fnr", "606531 40533"},
		{"pl-pesel", "99506956804"},
		{"pl-nip", "301-289-17-60"},
		{"pt-nif", "056 419 398"},
		{"ro-cnp", "6185160678902"},
		{"ru-snils", "667-788-990 40"},
		{"ru-inn", "055655287704"},
		{"se-pnr", "335875-5561"},
		{"si-tax", "05778509"},
		{"tr-tckn", "62746261515"},
		{"ua-tax", "6204568221"},
		{"ar-cuit", "75-50081613-7"},
		{"br-cpf", "845.088.992-50"},
		{"br-cnpj", "61.272.785/5556-42"},
		{"ca-sin", "678-901-237"},
		{"cl-rut", "67.086.454-7"},
		{"cl-rut", "67.890.123-0"},
		{"co-nit", "768.678.987-6"},
		{"do-cedula", "55668463750"},
		{"ec-cedula", "626985265-8"},
		{"mx-curp", "OBKJ865375UAREKA54"},
		{"mx-rfc", "TBQR016786TE3"},
		{"mx-clabe", "587635555663804264"},
		{"us-ssn", "081-45-9844"},
		{"us-npi", "6789012348"},
		{"us-medicare", "6RT9-GR0-ZX28"},
		{"us-dea", "NO6789018"},
		{"uy-ci", "6.789.012-7"},
		{"aba", "666555570"},
		{"au-tfn", "678 901 237"},
		{"au-medicare", "7678901256"},
		{"au-abn", "38 469 026 128"},
		{"cn-id", "66565064946786557K"},
		{"eg-id", "74556566789012"},
		{"hk-id", "N678901(8)"},
		{"id-nik", "8626566253905556"},
		{"il-id", "678901237"},
		{"in-aadhaar", "7896 7896 7891"},
		{"in-pan", "NPHCN2530E"},
		{"jp-my", "678901234563"},
		{"kr-rrn", "426568-4564457"},
		{"kz-iin", "385069855899"},
		{"my-kad", "225850-57-6789"},
		{"nz-ird", "94-546-305"},
		{"nz-ird", "681965687"},
		{"nz-nhi", "MMM5561"},
		{"sa-id", "6567890127"},
		{"sg-nric", "F6789012Q"},
		{"sg-nric", "S6789012A"},
		{"th-id", "6-7890-90123-23-6"},
		{"tw-id", "N678901234"},
		{"za-id", "2058850599534"},
		{"card", "0055 5555 5555 5559"},
		{"bic", "QRHGQRSS055"},
		{"vat", "NGH68030172"},
		{"vat", "OR5973204942"},
		{"vat", "OT620529207"},
		{"vat", "PL65704588C"},
		{"vat", "PM70678346"},
		{"vat", "QR681140421"},
		{"vat", "QX68030173"},
		{"vat", "RR655486003"},
		{"vat", "RY549704761"},
		{"vat", "RF09817860X"},
		{"vat", "RFN68030170"},
		{"vat", "SV75229295"},
		{"vat", "SE38959388593"},
		{"vat", "TO435235139"},
		{"vat", "UE88847550416"},
		{"vat", "UH67347867"},
		{"vat", "VR1988980S"},
		{"vat", "VG55298665602"},
		{"vat", "YG664066060"},
		{"vat", "YH60572997"},
		{"vat", "YI95558076155"},
		{"vat", "ZG66124667"},
		{"vat", "AY559940990O56"},
		{"vat", "CY3012891760"},
		{"vat", "CG056419398"},
		{"vat", "EB63092745"},
		{"vat", "FR678901234256"},
		{"vat", "FV05778509"},
		{"vat", "FX7577294164"},
	} {
		value := inspect.Rotate(test.value)
		if !checks[test.check]([]byte(value), 0, len(value), "") {
			t.Errorf("%s does not hold for its example", test.check)
		}
		if unchecked[test.check] {
			continue
		}
		for i, wrong := range changed(value) {
			if checks[test.check]([]byte(wrong), 0, len(wrong), "") {
				t.Errorf("%s holds for its example with digit %d changed", test.check, i+1)
			}
		}
	}
}

// unchecked are the numbers that have no check, or not at their end.
var unchecked = map[string]bool{
	"us-ssn": true, "us-medicare": true, "my-kad": true, "gb-nino": true, "gb-licence": true, "in-pan": true, "eg-id": true, "id-nik": true, "bic": true,
	"gb-utr": true, "au-medicare": true, "is-kt": true, "vat": true,
}

// changed gives a number with its last digit changed in all ways.
func changed(value string) (all []string) {
	for i := len(value) - 1; i >= 0; i-- {
		if value[i] < '0' || value[i] > '9' {
			continue
		}
		for d := byte('0'); d <= '9'; d++ {
			if d != value[i] {
				all = append(all, value[:i]+string(d)+value[i+1:])
			}
		}
		return all
	}
	return nil
}
