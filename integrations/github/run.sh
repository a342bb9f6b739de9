#!/usr/bin/env bash
# The step of action.yml: runs one `goferry deps` command, keeps its report, writes the summary.
set -uo pipefail

cd "$GITHUB_WORKSPACE" || exit 2
read -r -a more <<< "$INPUT_ARGS"  # used as ${more[@]+…}: to the bash of macOS an empty list is unset
summary="$(mktemp)"
trap 'rm -f "$summary"' EXIT
fence='```'

case "$INPUT_COMMAND" in
  audit)
    goferry deps audit "$INPUT_PATH" --format sarif --output "$INPUT_REPORT" ${more[@]+"${more[@]}"}
    code=$?
    # The second run finds everything in the store.
    goferry deps audit "$INPUT_PATH" --format markdown ${more[@]+"${more[@]}"} > "$summary"
    ;;
  gate)
    goferry deps gate "$INPUT_PATH" --sarif ${more[@]+"${more[@]}"} > "$INPUT_REPORT"
    code=$?
    { echo "$fence"; goferry deps gate "$INPUT_PATH" ${more[@]+"${more[@]}"}; echo "$fence"; } > "$summary"
    ;;
  lock)
    { echo "$fence"; goferry deps lock "$INPUT_PATH" ${more[@]+"${more[@]}"}; code=$?; echo "$fence"; } > "$summary"
    goferry deps lock "$INPUT_PATH" --json ${more[@]+"${more[@]}"} > "$INPUT_REPORT"
    ;;
  *)
    echo "::error::command must be audit, gate or lock, not '$INPUT_COMMAND'"
    exit 2
    ;;
esac

cat "$summary"
{ echo "### goferry deps $INPUT_COMMAND"; echo; cat "$summary"; } >> "$GITHUB_STEP_SUMMARY"
{ echo "exit-code=$code"; echo "report=$INPUT_REPORT"; } >> "$GITHUB_OUTPUT"
if [ "$code" -ne 0 ]; then
  echo "::error::goferry deps $INPUT_COMMAND ended with status $code"
fi
[ "$INPUT_FAIL" = true ] || exit 0
exit "$code"
