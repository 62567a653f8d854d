# shellcheck shell=bash
# What the demonstration prints. To be sourced by scripts that set $run.
# shellcheck disable=SC2154

passed=0 failed=0 sections=0
started=$SECONDS

section() {
    sections=$((sections + 1))
    printf '\n%d. %s\n' "$sections" "$*"
}

note() {
    printf '       %s\n' "$*"
}

# What comes in, as a quotation.
show() {
    sed 's/^/       | /'
}

verdict() {
    if [[ $1 == 0 ]]; then
        passed=$((passed + 1))
        printf '  PASS %s\n' "$2"
    else
        failed=$((failed + 1))
        printf '  FAIL %s\n' "$2"
    fi
}

# check TEXT COMMAND...: holds if the command succeeds. What it prints is shown
# only if it does not.
check() {
    local status=0
    "${@:2}" >"$run/check.out" 2>&1 || status=$?
    verdict "$status" "$1"
    ((status == 0)) || tail -n 15 "$run/check.out" | show
}

# refuse TEXT COMMAND...: holds if the command fails.
refuse() {
    local status=0
    "${@:2}" >"$run/check.out" 2>&1 && status=1
    verdict "$status" "$1"
    ((status == 0)) || tail -n 15 "$run/check.out" | show
}

# report_total NAME: of the program.
report_total() {
    printf '\n%d s\n' $((SECONDS - started))
    printf '%s: %d passed, %d failed\n' "$1" "$passed" "$failed"
    ((failed == 0 && passed > 0))
}
