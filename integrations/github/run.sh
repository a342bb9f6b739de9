#!/usr/bin/env bash
# The step of action.yml: runs one `goferry deps` command once, keeps its report, writes the summary.
set -uo pipefail

cd "$GITHUB_WORKSPACE" || exit 2
read -r -a more <<< "$INPUT_ARGS"  # used as ${more[@]+…}: to the bash of macOS an empty list is unset
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
summary="$work/summary.md" report="$work/report.sarif"
touch "$summary"
fence='```'

case "$INPUT_COMMAND" in
  audit)
    goferry deps audit "$INPUT_PATH" --output "$report" --output "$summary" ${more[@]+"${more[@]}"}
    code=$?
    ;;
  gate | lock)
    if [ "$INPUT_COMMAND" = lock ]; then report="$work/report.json"; fi
    { echo "$fence"; goferry deps "$INPUT_COMMAND" "$INPUT_PATH" --output "$report" ${more[@]+"${more[@]}"}; code=$?
      echo "$fence"; } > "$summary"
    cat "$summary"
    ;;
  *)
    echo "::error::command must be audit, gate or lock, not '$INPUT_COMMAND'"
    exit 2
    ;;
esac

if [ -f "$report" ]; then
  mkdir -p "$(dirname "$INPUT_REPORT")" && mv "$report" "$INPUT_REPORT" || exit 2
fi
{ echo "### goferry deps $INPUT_COMMAND"; echo; cat "$summary"; } >> "$GITHUB_STEP_SUMMARY"
{ echo "exit-code=$code"; echo "report=$INPUT_REPORT"; } >> "$GITHUB_OUTPUT"
if [ "$code" -ne 0 ]; then
  echo "::error::goferry deps $INPUT_COMMAND ended with status $code"
fi
[ "$INPUT_FAIL" = true ] || exit 0
exit "$code"
