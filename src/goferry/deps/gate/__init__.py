"""Proof, before a release, that a project is built from what it says: what can be proven, and what could not.

trees      source trees: folders and module zips behind one face
packages   which packages the project loads, and from which modules (pure, says which trees it lacks)
sums       which go.sum lines that takes, and what is wrong with those that are there (pure)
tidy       what go.mod should require (pure, says which graphs it wants)
vendor     vendor/modules.txt and every vendored file against the zips (pure on trees)
rules      every rule by name, and which of them count for which class of repository (pure)
proving    each line against the transparency log, or against the store for private modules
run        one gate from beginning to end
attest     a signed statement of what was proven
"""
