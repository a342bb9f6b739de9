package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode"

	"cmd/go/internal/imports"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	modzip "golang.org/x/mod/zip"
)

// sorted makes a function that sorts in place answer with the sorted list.
func sorted[T any](sort func([]T)) func([]T) []T {
	return func(list []T) []T {
		sort(list)
		return list
	}
}

// pseudoVersion takes the time as seconds since the epoch.
func pseudoVersion(major, older string, seconds int64, rev string) string {
	return module.PseudoVersion(major, older, time.Unix(seconds, 0), rev)
}

func pseudoVersionTime(v string) (int64, error) {
	t, err := module.PseudoVersionTime(v)
	if err != nil {
		return 0, err
	}
	return t.Unix(), nil
}

// modFile is what a go.mod or go.work file says, without its syntax tree. Formatted is what Go would write.
type modFile struct {
	Module     string
	Deprecated string
	Go         string
	Toolchain  string
	Godebug    [][2]string
	Require    []requirement
	Exclude    []module.Version
	Replace    [][2]module.Version
	Retract    []retraction
	Tool       []string
	Ignore     []string
	Use        [][2]string
	Formatted  string
}

type requirement struct {
	Path, Version string
	Indirect      bool
}

type retraction struct {
	Low, High, Rationale string
}

// modfileParse parses strictly. With fix, versions are made canonical as far as that needs no repository.
func modfileParse(file string, data []byte, fix bool) (*modFile, error) {
	return viewMod(modfile.Parse(file, data, fixer(fix)))
}

func modfileParseLax(file string, data []byte, fix bool) (*modFile, error) {
	return viewMod(modfile.ParseLax(file, data, fixer(fix)))
}

func modfileParseWork(file string, data []byte, fix bool) (*modFile, error) {
	return viewWork(modfile.ParseWork(file, data, fixer(fix)))
}

func fixer(fix bool) modfile.VersionFixer {
	if !fix {
		return nil
	}
	return func(path, version string) (string, error) {
		canonical := module.CanonicalVersion(version)
		if canonical == "" {
			return "", fmt.Errorf("no canonical version %q of %s", version, path)
		}
		_, pathMajor, _ := module.SplitPathVersion(path)
		return canonical, module.CheckPathMajor(canonical, pathMajor)
	}
}

func viewMod(f *modfile.File, err error) (*modFile, error) {
	if err != nil {
		return nil, err
	}
	v := &modFile{Formatted: string(modfile.Format(f.Syntax))}
	if f.Module != nil {
		v.Module, v.Deprecated = f.Module.Mod.Path, f.Module.Deprecated
	}
	v.statements(f.Go, f.Toolchain, f.Godebug, f.Replace)
	for _, r := range f.Require {
		v.Require = append(v.Require, requirement{r.Mod.Path, r.Mod.Version, r.Indirect})
	}
	for _, e := range f.Exclude {
		v.Exclude = append(v.Exclude, e.Mod)
	}
	for _, r := range f.Retract {
		v.Retract = append(v.Retract, retraction{r.Low, r.High, r.Rationale})
	}
	for _, t := range f.Tool {
		v.Tool = append(v.Tool, t.Path)
	}
	for _, i := range f.Ignore {
		v.Ignore = append(v.Ignore, i.Path)
	}
	return v, nil
}

func viewWork(f *modfile.WorkFile, err error) (*modFile, error) {
	if err != nil {
		return nil, err
	}
	v := &modFile{Formatted: string(modfile.Format(f.Syntax))}
	v.statements(f.Go, f.Toolchain, f.Godebug, f.Replace)
	for _, u := range f.Use {
		v.Use = append(v.Use, [2]string{u.Path, u.ModulePath})
	}
	return v, nil
}

func (v *modFile) statements(g *modfile.Go, t *modfile.Toolchain, debug []*modfile.Godebug, replace []*modfile.Replace) {
	if g != nil {
		v.Go = g.Version
	}
	if t != nil {
		v.Toolchain = t.Name
	}
	for _, d := range debug {
		v.Godebug = append(v.Godebug, [2]string{d.Key, d.Value})
	}
	for _, r := range replace {
		v.Replace = append(v.Replace, [2]module.Version{r.Old, r.New})
	}
}

// modfileEdit parses, calls methods of modfile.File in turn (each edit is [name, argument…]) and gives the new file.
// Cleanup is called before formatting, as Format of a File does.
func modfileEdit(data []byte, edits [][]json.RawMessage) (*modFile, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	if err := apply(reflect.ValueOf(f), edits); err != nil {
		return nil, err
	}
	f.Cleanup()
	return viewMod(f, nil)
}

func modfileEditWork(data []byte, edits [][]json.RawMessage) (*modFile, error) {
	f, err := modfile.ParseWork("go.work", data, nil)
	if err != nil {
		return nil, err
	}
	if err := apply(reflect.ValueOf(f), edits); err != nil {
		return nil, err
	}
	f.Cleanup()
	return viewWork(f, nil)
}

func apply(file reflect.Value, edits [][]json.RawMessage) error {
	for _, edit := range edits {
		var name string
		if err := json.Unmarshal(edit[0], &name); err != nil {
			return err
		}
		method := file.MethodByName(name)
		if !method.IsValid() {
			return fmt.Errorf("goferryoracle: no method %s", name)
		}
		if a := call(method, edit[1:]); a.E != "" {
			return fmt.Errorf("%s: %s", name, a.E)
		}
	}
	return nil
}

// entry is a file to be zipped: a regular file with this data, or one that only claims a size or another mode.
type entry struct {
	Path string
	Data []byte
	Size int64
	Mode uint32
}

type entryFile struct{ entry }

func (f entryFile) Path() string                 { return f.entry.Path }
func (f entryFile) Lstat() (os.FileInfo, error)  { return entryInfo{f.entry}, nil }
func (f entryFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil }

type entryInfo struct{ entry }

func (i entryInfo) Name() string       { return i.Path }
func (i entryInfo) Size() int64        { return max(i.entry.Size, int64(len(i.Data))) }
func (i entryInfo) Mode() os.FileMode  { return os.FileMode(i.entry.Mode) }
func (i entryInfo) ModTime() time.Time { return time.Time{} }
func (i entryInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i entryInfo) Sys() any           { return nil }

func zipFiles(entries []entry) []modzip.File {
	files := make([]modzip.File, len(entries))
	for i, e := range entries {
		files[i] = entryFile{e}
	}
	return files
}

// checkedFiles is modzip.CheckedFiles with its errors as text; Omitted and Invalid are pairs of path and reason.
type checkedFiles struct {
	Valid     []string
	Omitted   [][2]string
	Invalid   [][2]string
	SizeError string
}

func viewChecked(cf modzip.CheckedFiles, err error) (checkedFiles, error) {
	v := checkedFiles{Valid: cf.Valid, Omitted: fileErrors(cf.Omitted), Invalid: fileErrors(cf.Invalid)}
	if cf.SizeError != nil {
		v.SizeError = cf.SizeError.Error()
	}
	return v, err
}

func fileErrors(list []modzip.FileError) [][2]string {
	var pairs [][2]string
	for _, e := range list {
		pairs = append(pairs, [2]string{e.Path, e.Err.Error()})
	}
	return pairs
}

func zipCheckFiles(entries []entry) (checkedFiles, error) {
	return viewChecked(modzip.CheckFiles(zipFiles(entries)))
}

func zipCheckZip(m module.Version, file string) (checkedFiles, error) {
	return viewChecked(modzip.CheckZip(m, file))
}

func zipCheckDir(dir string) (checkedFiles, error) {
	return viewChecked(modzip.CheckDir(dir))
}

// zipCreate writes a module zip and answers with its h1 and the names in it.
func zipCreate(out string, m module.Version, entries []entry) (string, []string, error) {
	return created(out, func(w io.Writer) error { return modzip.Create(w, m, zipFiles(entries)) })
}

func zipCreateFromDir(out string, m module.Version, dir string) (string, []string, error) {
	return created(out, func(w io.Writer) error { return modzip.CreateFromDir(w, m, dir) })
}

func created(out string, create func(io.Writer) error) (string, []string, error) {
	var buf bytes.Buffer
	if err := create(&buf); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(out, buf.Bytes(), 0o666); err != nil {
		return "", nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		return "", nil, err
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	sum, err := dirhash.HashZip(out, dirhash.Hash1)
	return sum, names, err
}

func zipUnzip(dir string, m module.Version, file string) error {
	return modzip.Unzip(dir, m, file)
}

// hash1 is dirhash.Hash1 of files given by name and content.
func hash1(files map[string][]byte) (string, error) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	return dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files[name])), nil
	})
}

// noteGenerateKey answers with the secret and the public key made from a seed of 32 bytes.
func noteGenerateKey(name string, seed []byte) (string, string, error) {
	return note.GenerateKey(bytes.NewReader(seed), name)
}

func noteNewVerifier(vkey string) (string, uint32, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return "", 0, err
	}
	return v.Name(), v.KeyHash(), nil
}

func noteNewSigner(skey string) (string, uint32, error) {
	s, err := note.NewSigner(skey)
	if err != nil {
		return "", 0, err
	}
	return s.Name(), s.KeyHash(), nil
}

// noteOpen opens a signed note with the verifiers of these public keys.
func noteOpen(msg []byte, vkeys []string) (*note.Note, error) {
	var known []note.Verifier
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, err
		}
		known = append(known, v)
	}
	return note.Open(msg, note.VerifierList(known...))
}

// noteSign signs a text with these secret keys.
func noteSign(text string, skeys []string) ([]byte, error) {
	var signers []note.Signer
	for _, skey := range skeys {
		s, err := note.NewSigner(skey)
		if err != nil {
			return nil, err
		}
		signers = append(signers, s)
	}
	return note.Sign(&note.Note{Text: text}, signers...)
}

// stored reads from a list of stored hashes, in the order of tlog.StoredHashIndex.
func stored(hashes []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var list []tlog.Hash
		for _, i := range indexes {
			if i < 0 || i >= int64(len(hashes)) {
				return nil, fmt.Errorf("no stored hash %d", i)
			}
			list = append(list, hashes[i])
		}
		return list, nil
	})
}

// tlogStoredHashes is every stored hash of a log of these records.
func tlogStoredHashes(records [][]byte) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for n, record := range records {
		more, err := tlog.StoredHashes(int64(n), record, stored(hashes))
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, more...)
	}
	return hashes, nil
}

func tlogTreeHash(n int64, hashes []tlog.Hash) (tlog.Hash, error) {
	return tlog.TreeHash(n, stored(hashes))
}

func tlogProveRecord(t, n int64, hashes []tlog.Hash) (tlog.RecordProof, error) {
	return tlog.ProveRecord(t, n, stored(hashes))
}

func tlogProveTree(t, n int64, hashes []tlog.Hash) (tlog.TreeProof, error) {
	return tlog.ProveTree(t, n, stored(hashes))
}

func tlogReadTileData(t tlog.Tile, hashes []tlog.Hash) ([]byte, error) {
	return tlog.ReadTileData(t, stored(hashes))
}

// unicodeLetters is every letter as a list of closed ranges.
func unicodeLetters() [][2]int {
	var ranges [][2]int
	for r := range unicode.MaxRune + 1 {
		if !unicode.IsLetter(r) {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1][1] == int(r)-1 {
			ranges[n-1][1] = int(r)
		} else {
			ranges = append(ranges, [2]int{int(r), int(r)})
		}
	}
	return slices.Clip(ranges)
}

// urlParts are the parts of a URL as goferry keeps them. User is null when there is none.
type urlParts struct {
	Scheme, Opaque, Host, EscapedPath, RawQuery, Fragment string
	User                                                  *string
	OmitHost                                              bool
}

func urlParse(text string) (*urlParts, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	parts := &urlParts{
		Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, EscapedPath: u.EscapedPath(),
		RawQuery: u.RawQuery, Fragment: u.Fragment, OmitHost: u.OmitHost,
	}
	if u.User != nil {
		user := u.User.String()
		parts.User = &user
	}
	return parts, nil
}

// sourceHead is what the go command reads of a Go file, and whether any tags at all build it.
type sourceHead struct {
	Imports []string
	Builds  bool
}

func readSourceHead(data []byte) (sourceHead, error) {
	var literals []string
	head, err := imports.ReadImports(bytes.NewReader(data), false, &literals)
	if err != nil {
		return sourceHead{}, err
	}
	found := sourceHead{[]string{}, imports.ShouldBuild(head, imports.AnyTags())}
	for _, literal := range literals {
		if path, err := strconv.Unquote(literal); err == nil && path != "C" {
			found.Imports = append(found.Imports, path)
		}
	}
	return found, nil
}
