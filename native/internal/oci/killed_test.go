package oci

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"banger.dev/native/internal/store"
)

// TestMain lets a test run this program again as one that makes an image, to kill it.
func TestMain(m *testing.M) {
	if source := os.Getenv("BANGER_TEST_SOURCE"); source != "" {
		if err := makeForTest(source, os.Getenv("BANGER_TEST_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func makeForTest(source, dir string) (err error) {
	out := filepath.Join(dir, "out")
	if strings.HasPrefix(source, "/") {
		_, err = Import(context.Background(), source, Target{Rootfs: out}, DefaultLimits, silent)
		return err
	}
	p := &Pull{Reference: source, Cache: filepath.Join(dir, "layers"), Silence: time.Minute, Limits: DefaultLimits}
	_, err = p.Run(context.Background(), "", Target{Rootfs: out}, silent)
	return err
}

// sumOf is of what is not zero and where: most of a file system is a hole.
func sumOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	extents, size, err := store.Extents(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range extents {
		fmt.Fprintln(sum, e)
		if _, err := io.Copy(sum, io.NewSectionReader(f, e[0], e[1])); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(sum, size)
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// slowly sends a blob in pieces, so that a kill can come in the midst of it.
func slowly(s *registry, w http.ResponseWriter, r *http.Request) bool {
	content := s.all[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
	if len(content) < 1000 {
		return false
	}
	from := 0
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	piece := len(content)/20 + 1
	for at := from; at < len(content); at += piece {
		if _, err := w.Write(content[at:min(at+piece, len(content))]); err != nil {
			return true
		}
		w.(http.Flusher).Flush()
		time.Sleep(time.Millisecond)
	}
	return true
}

// TestKilledAtAnyPoint kills a pull and an import 20 times each, at random points of their way, and lets the next go on. What has the
// final name is whole at every point.
func TestKilledAtAnyPoint(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	bytes := make([]byte, 2<<20)
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	image := imageOf(t, layerOf(t, "a="+string(bytes)), layerOf(t, "b="+string(bytes[:1<<20]), "c"))
	_, p := serve(t, image, slowly)
	for what, source := range map[string]string{"pull": p.Reference, "import": image.layout(t)} {
		t.Run(what, func(t *testing.T) {
			start := func(dir string) *exec.Cmd {
				c := exec.Command(os.Args[0])
				c.Env = append(os.Environ(), "BANGER_TEST_SOURCE="+source, "BANGER_TEST_DIR="+dir)
				c.Stderr = os.Stderr
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				return c
			}
			whole, killed := t.TempDir(), t.TempDir()
			began := time.Now()
			if err := start(whole).Wait(); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			want := sumOf(t, filepath.Join(whole, "out"))
			early := 0
			for range 20 {
				c := start(killed)
				after := time.Duration(random.Int64N(int64(took)))
				time.Sleep(after)
				c.Process.Kill()
				if c.Wait() != nil {
					early++
				} else {
					// It takes no longer than that: the machine was busy with something else when it was timed.
					took = after + 1
				}
				if _, err := os.Stat(filepath.Join(killed, "out")); err == nil {
					if got := sumOf(t, filepath.Join(killed, "out")); got != want {
						t.Fatal("half an image under its name")
					}
					// From the beginning again: with all layers there the next one would be over before it is killed.
					os.Remove(filepath.Join(killed, "out"))
					os.RemoveAll(filepath.Join(killed, "layers"))
				}
			}
			if early < 5 {
				t.Errorf("only %d of 20 were killed before their end", early)
			}
			if err := start(killed).Wait(); err != nil {
				t.Fatal(err)
			}
			if got := sumOf(t, filepath.Join(killed, "out")); got != want {
				t.Error("after the kills another image is made")
			}
			// What was killed leaves nothing but the layers; a half-written file goes with the next attempt at the same place.
			left, _ := filepath.Glob(filepath.Join(killed, "*"))
			for _, path := range left {
				if base := filepath.Base(path); base != "out" && base != "layers" {
					t.Errorf("left behind: %s", base)
				}
			}
			if partial, _ := filepath.Glob(filepath.Join(killed, "layers", "*.partial")); len(partial) > 0 {
				t.Errorf("left behind: %v", partial)
			}
		})
	}
}
