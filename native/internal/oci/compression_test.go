package oci

import (
	"bytes"
	"encoding/base64"
	"slices"
	"testing"
)

// An archive with the file "a" that holds "packed", by xz and by bzip2, which Go only reads.
const (
	byXz    = "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AGJdADCAM1AYaImDAdzibkdnUCbZPT258TLYiyUhyFjEwm13J2HRa/VCYUsGe8FAdlK2GnqEt8cotLdUqRJgF0Kb0SMPsmyS4yC9sntCdEqn2NhPHCBEgOSdjrv0lfSXIc9qMEkAAAAAlgXfvyFtYKMAAX6AUAAAAFwHloixxGf7AgAAAAAEWVo="
	byBzip2 = "QlpoOTFBWSZTWVcXDwUAAHd7kMmAAERAAGcAAADuCN4ABAAACCAAVDKjRoZNMyRiegipNGgGgDQUPtcLIohvJRTOuEDSmN0kEgMAnUibRnoC4UCRg6jyl1X61lFwz0RtwzTJIGRdyRThQkFcXDwU"
)

func TestLayersMayBeCompressedInAnyOfTheWays(t *testing.T) {
	decoded := func(text string) []byte {
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	archive := layerOf(t, "a=packed")
	for how, layer := range map[string][]byte{"not": archive, "gzip": zipped(archive), "zstd": byZstd(archive), "xz": decoded(byXz), "bzip2": decoded(byBzip2)} {
		if got, err := shown(t, layer); err != nil || !slices.Equal(got, []string{"a=packed"}) {
			t.Errorf("%s: %q, %v", how, got, err)
		}
		if how == "not" {
			continue
		}
		damaged := bytes.Clone(layer)
		damaged[len(damaged)/2] ^= 0xFF
		if _, err := shown(t, damaged[:len(damaged)-1]); err == nil || AsFault(err).Kind != BadLayer {
			t.Errorf("%s: damaged it gives %v", how, err)
		}
	}
}
