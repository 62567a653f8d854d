# shellcheck shell=bash
# Building, for scripts. To be sourced.

# svr_build DIR MESON-OPTION...: configures DIR once, builds what has changed.
# Output goes to DIR.log and is shown when something fails.
svr_build() {
    local dir=$1 log=$1.log
    shift
    mkdir -p "${dir%/*}"
    if ! {
        if [[ ! -e $dir/build.ninja ]]; then
            meson setup "$dir" "$@"
        fi && ninja -C "$dir"
    } >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "build of $dir failed; all of it: $log" >&2
        return 1
    fi
}
