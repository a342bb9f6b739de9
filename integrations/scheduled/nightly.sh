#!/bin/sh
# Audits GOFERRY_AUDIT_PATH, shows what is new since the last run, and keeps the result in GOFERRY_AUDIT_RESULTS.
set -u
: "${GOFERRY_AUDIT_PATH:?the folder to audit}"
: "${GOFERRY_AUDIT_RESULTS:?the folder for results}"

last="$GOFERRY_AUDIT_RESULTS/latest.json"
new="$GOFERRY_AUDIT_RESULTS/new.json"
mkdir -p "$GOFERRY_AUDIT_RESULTS" || exit 2

goferry deps audit "$GOFERRY_AUDIT_PATH" --json --output "$new"
whole=$?
case $whole in
  0 | 1 | 3) ;;
  *) exit "$whole" ;;
esac

if [ -f "$last" ]; then
  goferry deps audit --from "$new" --since "$last"
else
  goferry deps audit --from "$new"
fi
code=$?

# Kept even when something was found, but not when it could not be proven: half a result would hide what is new.
case $whole in
  0 | 1) mv "$new" "$last" ;;
  *) rm -f "$new" ;;
esac
exit "$code"
