package main

import (
	"net/url"
	"path"
	"strconv"
	"unicode"

	"cmd/go/internal/gover"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/tlog"
)

// table holds every function that may be asked for. Names are those of Go; a name that Go does not have starts with
// the package it belongs to and is explained at its adapter.
var table = map[string]any{
	"semver.IsValid":    semver.IsValid,
	"semver.Canonical":  semver.Canonical,
	"semver.Major":      semver.Major,
	"semver.MajorMinor": semver.MajorMinor,
	"semver.Prerelease": semver.Prerelease,
	"semver.Build":      semver.Build,
	"semver.Compare":    semver.Compare,
	"semver.Max":        semver.Max,
	"semver.Sort":       sorted(semver.Sort),

	"module.Check":               module.Check,
	"module.CheckPath":           module.CheckPath,
	"module.CheckImportPath":     module.CheckImportPath,
	"module.CheckFilePath":       module.CheckFilePath,
	"module.SplitPathVersion":    module.SplitPathVersion,
	"module.MatchPathMajor":      module.MatchPathMajor,
	"module.CheckPathMajor":      module.CheckPathMajor,
	"module.PathMajorPrefix":     module.PathMajorPrefix,
	"module.CanonicalVersion":    module.CanonicalVersion,
	"module.EscapePath":          module.EscapePath,
	"module.UnescapePath":        module.UnescapePath,
	"module.EscapeVersion":       module.EscapeVersion,
	"module.UnescapeVersion":     module.UnescapeVersion,
	"module.MatchPrefixPatterns": module.MatchPrefixPatterns,
	"module.Sort":                sorted(module.Sort),
	"module.PseudoVersion":       pseudoVersion,
	"module.ZeroPseudoVersion":   module.ZeroPseudoVersion,
	"module.IsPseudoVersion":     module.IsPseudoVersion,
	"module.IsZeroPseudoVersion": module.IsZeroPseudoVersion,
	"module.PseudoVersionTime":   pseudoVersionTime,
	"module.PseudoVersionRev":    module.PseudoVersionRev,
	"module.PseudoVersionBase":   module.PseudoVersionBase,

	"imports.Head": readSourceHead,

	"gover.Compare":         gover.Compare,
	"gover.Max":             gover.Max,
	"gover.IsLang":          gover.IsLang,
	"gover.Lang":            gover.Lang,
	"gover.IsPrerelease":    gover.IsPrerelease,
	"gover.Prev":            gover.Prev,
	"gover.IsValid":         gover.IsValid,
	"gover.IsToolchain":     gover.IsToolchain,
	"gover.FromToolchain":   gover.FromToolchain,
	"gover.ModCompare":      gover.ModCompare,
	"gover.ModIsValid":      gover.ModIsValid,
	"gover.ModIsPrefix":     gover.ModIsPrefix,
	"gover.ModIsPrerelease": gover.ModIsPrerelease,
	"gover.ModMajorMinor":   gover.ModMajorMinor,
	"gover.ModSort":         sorted(gover.ModSort),

	"modfile.Parse":           modfileParse,
	"modfile.ParseLax":        modfileParseLax,
	"modfile.ParseWork":       modfileParseWork,
	"modfile.Edit":            modfileEdit,
	"modfile.EditWork":        modfileEditWork,
	"modfile.ModulePath":      modfile.ModulePath,
	"modfile.AutoQuote":       modfile.AutoQuote,
	"modfile.MustQuote":       modfile.MustQuote,
	"modfile.IsDirectoryPath": modfile.IsDirectoryPath,

	"zip.CheckFiles":    zipCheckFiles,
	"zip.CheckZip":      zipCheckZip,
	"zip.CheckDir":      zipCheckDir,
	"zip.Create":        zipCreate,
	"zip.CreateFromDir": zipCreateFromDir,
	"zip.Unzip":         zipUnzip,

	"dirhash.Hash1":     hash1,
	"dirhash.HashZip":   func(file string) (string, error) { return dirhash.HashZip(file, dirhash.Hash1) },
	"dirhash.HashDir":   func(dir, prefix string) (string, error) { return dirhash.HashDir(dir, prefix, dirhash.Hash1) },
	"dirhash.HashGoMod": func(data []byte) (string, error) { return hash1(map[string][]byte{"go.mod": data}) },

	"note.GenerateKey": noteGenerateKey,
	"note.NewVerifier": noteNewVerifier,
	"note.NewSigner":   noteNewSigner,
	"note.Open":        noteOpen,
	"note.Sign":        noteSign,

	"tlog.RecordHash":           tlog.RecordHash,
	"tlog.NodeHash":             tlog.NodeHash,
	"tlog.ParseHash":            tlog.ParseHash,
	"tlog.StoredHashIndex":      tlog.StoredHashIndex,
	"tlog.SplitStoredHashIndex": tlog.SplitStoredHashIndex,
	"tlog.StoredHashCount":      tlog.StoredHashCount,
	"tlog.StoredHashes":         tlogStoredHashes,
	"tlog.TreeHash":             tlogTreeHash,
	"tlog.ProveRecord":          tlogProveRecord,
	"tlog.CheckRecord":          tlog.CheckRecord,
	"tlog.ProveTree":            tlogProveTree,
	"tlog.CheckTree":            tlog.CheckTree,
	"tlog.FormatTree":           tlog.FormatTree,
	"tlog.ParseTree":            tlog.ParseTree,
	"tlog.FormatRecord":         tlog.FormatRecord,
	"tlog.ParseRecord":          tlog.ParseRecord,
	"tlog.NewTiles":             tlog.NewTiles,
	"tlog.TileForIndex":         tlog.TileForIndex,
	"tlog.TilePath":             tlog.Tile.Path,
	"tlog.ParseTilePath":        tlog.ParseTilePath,
	"tlog.ReadTileData":         tlogReadTileData,
	"tlog.HashFromTile":         tlog.HashFromTile,

	"path.Match":      path.Match,
	"strconv.Quote":   strconv.Quote,
	"strconv.Unquote": strconv.Unquote,
	"unicode.Letters": unicodeLetters,
	"unicode.Version": func() string { return unicode.Version },
	"url.Parse":       urlParse,
	"url.PathEscape":  url.PathEscape,
}
