package host

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// answers serves the given statuses one after another, and counts.
func answers(t *testing.T, body string, statuses ...int) (*Client, *int) {
	t.Helper()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(statuses[min(asked, len(statuses)-1)])
		asked++
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	dial := func(context.Context, string, string) (net.Conn, error) { return net.Dial("tcp", address) }
	return newClient(dial, func(error) {}), &asked
}

func TestConfigIsAskedForUntilItComes(t *testing.T) {
	client, asked := answers(t, `{"protocol":1,"hostname":"a"}`, 500, 503, 200)
	c, err := client.Config(t.Context())
	if err != nil || c.Hostname != "a" || *asked != 3 {
		t.Error(c, err, *asked)
	}
}

func TestRefusalIsFinal(t *testing.T) {
	client, asked := answers(t, "no such VM", 404)
	if err := client.Ready(t.Context(), struct{}{}); !errors.As(err, &final{}) || !strings.Contains(err.Error(), "no such VM") || *asked != 1 {
		t.Error(err, *asked)
	}
	client, asked = answers(t, `{"protocol":9}`, 200)
	if _, err := client.Config(t.Context()); !errors.As(err, &final{}) || *asked != 1 {
		t.Error(err, *asked)
	}
}

func TestHostComesUpLater(t *testing.T) {
	client, _ := answers(t, `{"protocol":1,"hostname":"a"}`, 200)
	there := client.http.Transport.(*http.Transport).DialContext
	calls := 0
	client.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if calls++; calls < 4 {
			return nil, unix.ECONNRESET
		}
		return there(ctx, network, address)
	}
	told := 0
	client.retrying = func(error) { told++ }
	if _, err := client.Config(t.Context()); err != nil || told != 1 {
		t.Error(err, told)
	}
}
