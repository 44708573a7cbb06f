package config

import (
	"strings"
	"testing"
)

const sample = `{"protocol":1,"hostname":"brave-otter",
 "network":{"interface":"eth0","address":"172.16.0.5/24","gateway":"172.16.0.1","resolvers":["172.16.0.1"],"search":["vm"]},
 "mounts":[{"device":"/dev/vdb","at":"/root","type":"ext4","readOnly":false,"grow":true}],
 "files":[{"path":"/root/.ssh/authorized_keys","mode":"0600","content":"key\n"}],
 "mask":["systemd-networkd-wait-online.service"],"environment":{"PATH":"/opt/tool/bin:/bin"},"unixTime":1700000000}`

func TestDecode(t *testing.T) {
	c, err := Decode(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	if c.Network.Address.Bits() != 24 || c.Files[0].Mode != 0o600 || !c.Mounts[0].Grow || c.UnixTime != 1700000000 || c.Environment["PATH"] != "/opt/tool/bin:/bin" {
		t.Errorf("%+v", c)
	}
	if c, err := Decode(strings.NewReader(`{"protocol":1,"hostname":"a","network":null}`)); err != nil || c.Network != nil {
		t.Error(c, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for change, want := range map[[2]string]string{
		{`"protocol":1`, `"protocol":2`}:                                  "protocol 2",
		{`brave-otter`, `a b`}:                                            "hostname",
		{`"eth0"`, `"../eth0"`}:                                           "network.interface",
		{`"172.16.0.5/24"`, `"172.16.0.5"`}:                               "ParsePrefix",
		{`"172.16.0.5/24"`, `""`}:                                         "network.address",
		{`"172.16.0.1",`, `"nowhere",`}:                                   "ParseAddr",
		{`["vm"]`, `["a\nnameserver 1.1.1.1"]`}:                           "network.search",
		{`"/dev/vdb"`, `"vdb"`}:                                           "mount",
		{`{"PATH"`, `{"PA TH"`}:                                           "environment",
		{`"/opt/tool/bin:/bin"`, `"a\u0000b"`}:                            "environment",
		{`"at":"/root"`, `"at":"/"`}:                                      "mount",
		{`"at":"/root"`, `"at":"/a/../b"`}:                                "mount",
		{`"type":"ext4"`, `"type":""`}:                                    "type",
		{`"/root/.ssh/authorized_keys"`, `"/root/../etc/shadow"`}:         "file",
		{`"0600"`, `"0999"`}:                                              "mode",
		{`"0600"`, `"4755"`}:                                              "mode",
		{`"systemd-networkd-wait-online.service"`, `"../../etc/x"`}:       "mask",
		{`"mask"`, `"mask":["` + strings.Repeat("x", MaxBody) + `"],"x"`}: "larger",
		{`"hostname"`, `hostname`}:                                        "decode",
	} {
		if _, err := Decode(strings.NewReader(strings.Replace(sample, change[0], change[1], 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v", change[1], err)
		}
	}
}
