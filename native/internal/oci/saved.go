package oci

import (
	"context"
	"encoding/json"
	"io"
	"path"
	"regexp"
	"slices"
)

// openSaved reads what docker save wrote before it wrote layouts, and podman save does by default. Its layers have no digests but those
// of their content.
func openSaved(from files, what string, limits Limits) (*image, error) {
	content, err := readSmall(from, "manifest.json", maxManifest)
	if err != nil {
		return nil, err
	}
	var images []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(content, &images); err != nil {
		return nil, fault(BadImage, "manifest.json of %s is no JSON: %v", what, err)
	}
	if len(images) != 1 {
		return nil, severalImages(what, len(images))
	}
	config, err := readSmall(from, images[0].Config, maxConfig)
	if err != nil {
		return nil, err
	}
	parsed, diffIDs, err := parseConfig(config, what, len(images[0].Layers))
	if err != nil {
		return nil, err
	}
	return savedImage(from, digestOf(config), parsed, images[0].Layers, diffIDs, what, limits)
}

func severalImages(what string, count int) error {
	return fault(BadSource, "%s holds %d images", what, count).mend("save one image: docker save NAME -o FILE")
}

// savedImage has its layers in files of their own. Without diffIDs nothing says what they are.
func savedImage(from files, digest string, config *Config, names, diffIDs []string, what string, limits Limits) (*image, error) {
	if len(names) == 0 || len(names) > limits.Layers {
		return nil, fault(BadImage, "%s has %d layers; 1 to %d are possible", what, len(names), limits.Layers)
	}
	img := &image{digest: digest, config: config}
	for at, name := range names {
		r, size, err := from.open(name)
		if err != nil {
			return nil, fault(BadSource, "%s: %v", what, err)
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
		l := &layer{size: size, open: func(context.Context) (io.ReadCloser, error) {
			r, _, err := from.open(name)
			return r, err
		}}
		if diffIDs != nil {
			l.digest, l.diffID = diffIDs[at], diffIDs[at]
		}
		img.layers = append(img.layers, l)
	}
	return img, nil
}

var oldID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// openOld reads what docker save wrote before version 1.10: no manifest, but each layer names the one below it.
func openOld(from files, what string, limits Limits) (*image, error) {
	content, err := readSmall(from, "repositories", maxManifest)
	if err != nil {
		return nil, err
	}
	var repositories map[string]map[string]string
	if err := json.Unmarshal(content, &repositories); err != nil {
		return nil, fault(BadImage, "repositories of %s is no JSON: %v", what, err)
	}
	tops := map[string]bool{}
	for _, tags := range repositories {
		for _, id := range tags {
			tops[id] = true
		}
	}
	if len(tops) != 1 {
		return nil, severalImages(what, len(tops))
	}
	var digest string
	var config *Config
	var names []string
	for id := range tops {
		for id != "" {
			if !oldID.MatchString(id) || len(names) > limits.Layers {
				return nil, fault(BadImage, "%s has a layer named %.80q, or more than %d", what, id, limits.Layers)
			}
			about, err := readSmall(from, path.Join(id, "json"), maxConfig)
			if err != nil {
				return nil, err
			}
			var below struct{ Parent string }
			if err := json.Unmarshal(about, &below); err != nil {
				return nil, fault(BadImage, "%s/json of %s is no JSON: %v", id, what, err)
			}
			if config == nil {
				// It has the fields of a configuration, but for the digests of layers.
				if config, _, err = parseConfig(about, what, 0); err != nil {
					return nil, err
				}
				digest = digestOf(about)
			}
			names, id = append(names, path.Join(id, "layer.tar")), below.Parent
		}
	}
	slices.Reverse(names)
	return savedImage(from, digest, config, names, nil, what, limits)
}
