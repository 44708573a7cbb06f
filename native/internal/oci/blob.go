package oci

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/regular"
	"banger.dev/native/internal/room"
)

func insecureTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// download is a layer on its way into the cache. It is read while it grows; its name there is its digest, and it gets that name
// once it is whole and what it is named.
type download struct {
	file   *room.File
	url    string
	digest string
	size   int64
	sum    hash.Hash

	mutex sync.Mutex
	grown *sync.Cond
	have  int64
	done  bool
	err   error
}

// Fetch gives a file whose digest is known, of this machine or of a web server: from the cache, or fetched into it, from where an earlier attempt ended.
// Its reader ends well only when the digest is right. HTTP will do, since the digest vouches for the bytes.
func (p *Pull) Fetch(ctx context.Context, address, digest string, size int64) (io.ReadCloser, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "file" {
		f, _, err := regular.Open(u.Path)
		if err != nil {
			return nil, fault(BadSource, "%v", err).mend("check the catalog's address")
		}
		return verify(f, digest), nil
	}
	if err != nil || u.Host == "" {
		return nil, fault(BadReference, "%q is no address of a web server, nor of a file", address)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = p.dialer(ctx, u)
	c := &client{Pull: p, host: u.Host, http: &http.Client{Transport: p.patient(t), CheckRedirect: checkRedirect}}
	return c.blob(ctx, address, descriptor{Digest: digest, Size: size}, address)
}

// blob gives a layer from the cache, or starts to fetch it.
func (c *client) blob(ctx context.Context, address string, d descriptor, what string) (io.ReadCloser, error) {
	if d.Size < 0 || d.Size > c.Limits.Content {
		return nil, fault(TooLarge, "%s is announced with %d bytes", what, d.Size)
	}
	final := filepath.Join(c.Cache, strings.TrimPrefix(d.Digest, "sha256:"))
	if f, err := os.Open(final); err == nil {
		return cached(f, d.Digest), nil
	}
	if err := os.MkdirAll(c.Cache, 0o755); err != nil {
		return nil, err
	}
	file, err := lockPartial(final + ".partial")
	if err != nil {
		return nil, err
	}
	// Another pull may have fetched it meanwhile.
	if f, err := os.Open(final); err == nil {
		return cached(f, d.Digest), errors.Join(os.Remove(file.Name()), file.Close())
	}
	dl := &download{file: c.Limits.Reserve.Keep(file), url: address, digest: d.Digest, size: d.Size, sum: sha256.New()}
	dl.grown = sync.NewCond(&dl.mutex)
	resumed, err := io.Copy(dl.sum, io.LimitReader(file, d.Size))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	dl.have = resumed
	if err := c.Limits.Reserve.For(file, d.Size-resumed); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go func() {
		err := c.fetch(ctx, dl, what)
		if err == nil {
			err = dl.keep(final)
		} else if resumed > 0 && AsFault(err).Kind == WrongDigest {
			err = fault(WrongDigest, "%s; what an earlier pull had left of it is removed", err).mend("run the same command again")
		}
		dl.end(err)
	}()
	return &follower{download: dl}, nil
}

// lockPartial opens the beginning of a layer that is being fetched. Another pull of the same layer is waited for, and may have
// taken the file away when it is done.
func lockPartial(name string) (*os.File, error) {
	for {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		mine, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if there, err := os.Stat(name); err == nil && os.SameFile(mine, there) {
			return file, nil
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
}

// cached is a layer of the cache. One that has rotted there is removed, so that the next pull fetches it.
func cached(f *os.File, digest string) io.ReadCloser {
	v := verify(f, digest)
	v.wrong = func() string {
		os.Remove(f.Name())
		return "run the same command again: it is fetched anew"
	}
	return v
}

// fetch gets what is missing, from where the last attempt ended.
func (c *client) fetch(ctx context.Context, dl *download, what string) error {
	if dl.have < dl.size {
		err := c.retried(ctx, what, func(ctx context.Context) (bool, error) {
			before := dl.have
			err := c.fetchRest(ctx, dl)
			return dl.have > before, err
		})
		if err != nil {
			return err
		}
	}
	if got := "sha256:" + hex.EncodeToString(dl.sum.Sum(nil)); got != dl.digest {
		// Not truncated: it is being read.
		return errors.Join(fault(WrongDigest, "%s sent %s for layer %s", c.host, got, dl.digest), os.Remove(dl.file.Name()))
	}
	return nil
}

func (c *client) fetchRest(ctx context.Context, dl *download) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, dl.url, nil)
	if err != nil {
		return err
	}
	if dl.have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", dl.have))
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusPartialContent:
		if want := fmt.Sprintf("bytes %d-", dl.have); !strings.HasPrefix(response.Header.Get("Content-Range"), want) {
			return fault(Registry, "%s resumes layer %s somewhere else than it was asked to", c.host, dl.digest)
		}
	case http.StatusOK:
		// It knows no ranges: what we have is sent again.
		if _, err := io.CopyN(io.Discard, response.Body, dl.have); err != nil {
			return err
		}
	default:
		return newAnswer(response)
	}
	if _, err := io.Copy(dl, io.LimitReader(response.Body, dl.size-dl.have)); err != nil {
		return err
	}
	if dl.have < dl.size {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (dl *download) Write(b []byte) (int, error) {
	n, err := dl.file.WriteAt(b, dl.have)
	dl.sum.Write(b[:n])
	dl.mutex.Lock()
	dl.have += int64(n)
	dl.mutex.Unlock()
	dl.grown.Broadcast()
	return n, err
}

// keep gives a whole layer its name.
func (dl *download) keep(final string) error {
	if err := dl.file.Truncate(dl.size); err != nil {
		return err
	}
	if err := dl.file.Sync(); err != nil {
		return err
	}
	return os.Rename(final+".partial", final)
}

func (dl *download) end(err error) {
	dl.mutex.Lock()
	dl.done, dl.err = true, err
	dl.mutex.Unlock()
	dl.grown.Broadcast()
}

// follower reads a download as it grows; it ends when the download is known to be good, and not before.
type follower struct {
	*download
	at int64
}

func (f *follower) Read(b []byte) (int, error) {
	f.mutex.Lock()
	for f.at == f.have && !f.done {
		f.grown.Wait()
	}
	have, done, err := f.have, f.done, f.err
	f.mutex.Unlock()
	if f.at == have {
		if done && err == nil {
			err = io.EOF
		}
		return 0, err
	}
	n, err := f.file.ReadAt(b[:min(int64(len(b)), have-f.at)], f.at)
	f.at += int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close waits for the fetching to end: the caller has read to the end, or has ended the context.
func (f *follower) Close() error {
	f.mutex.Lock()
	for !f.done {
		f.grown.Wait()
	}
	f.mutex.Unlock()
	return f.file.Close()
}
