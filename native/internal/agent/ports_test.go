package agent

import (
	"encoding/json"
	"net"
	"os"
	"strconv"
	"testing"
)

func TestPortsAreThoseThatWaitAndWhoseTheyAre(t *testing.T) {
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer four.Close()
	udp, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	wanted := map[string]string{"tcp " + four.Addr().String(): "127.0.0.1", "udp " + udp.LocalAddr().String(): "0.0.0.0"}
	if six, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		defer six.Close()
		wanted["tcp "+six.Addr().String()] = "::1"
	}
	// One end of a connection waits for nobody.
	dialled, err := net.Dial("tcp4", four.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialled.Close()
	status, body := newGuest(t).do("GET", "/v1/ports", nil)
	var answer struct {
		Ports []port
		Total int
	}
	if err := json.Unmarshal(body, &answer); status != 200 || err != nil || answer.Total != len(answer.Ports) {
		t.Fatal(status, string(body), err)
	}
	for _, p := range answer.Ports {
		at := p.Protocol + " " + net.JoinHostPort(p.Address, strconv.Itoa(int(p.Port)))
		if address, ok := wanted[at]; ok {
			delete(wanted, at)
			if p.Address != address || p.PID != os.Getpid() || p.Command == "" {
				t.Errorf("%+v", p)
			}
		}
		if at == "tcp "+dialled.LocalAddr().String() {
			t.Error("a connected socket is listed", at)
		}
	}
	if len(wanted) > 0 {
		t.Error("not listed:", wanted)
	}
}

func TestAddressesOfTheKernelsTables(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:0016":                         "127.0.0.1:22",
		"00000000:1F90":                         "0.0.0.0:8080",
		"00000000000000000000000001000000:0035": "[::1]:53",
		"0000000000000000FFFF00000100007F:0050": "[::ffff:127.0.0.1]:80",
	} {
		if got, err := addressOf(text); err != nil || got.String() != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0100007F", "01:0016", "0100007F:10000", "0100007G:0016"} {
		if got, err := addressOf(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}
