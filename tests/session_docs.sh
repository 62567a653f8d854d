#!/bin/bash
# Whether docs/sessions.md and docs/session-machine.dot say what the table of
# lib/session/hop.c says, and the picture is there.
#
#   tests/session_docs.sh SESSION-DIAGRAM            checks
#   tests/session_docs.sh SESSION-DIAGRAM --write    writes them anew
#
# The picture is made from the dot file by Graphviz, whose versions draw
# differently; so the text is compared.
set -euo pipefail
diagram=$(readlink -f -- "$1")
cd -- "$(dirname -- "$(readlink -f -- "$0")")/../docs"
begin='<!-- the table: made by session_diagram -->'
end='<!-- the end of the table -->'

page() {
    sed "/^$begin\$/q" sessions.md
    "$diagram" markdown
    sed -n "/^$end\$/,\$p" sessions.md
}

if [[ ${2-} == --write ]]; then
    new=$(page)
    printf '%s\n' "$new" >sessions.md
    "$diagram" dot >session-machine.dot
    dot -Tsvg session-machine.dot >session-machine.svg
    exit
fi

old="is old: run tests/session_docs.sh $diagram --write"
diff <(page) sessions.md || { echo "docs/sessions.md $old" && exit 1; }
diff <("$diagram" dot) session-machine.dot ||
    { echo "docs/session-machine.dot $old" && exit 1; }
for state in offering offered answering answered; do
    grep -q ">$state<" session-machine.svg ||
        { echo "docs/session-machine.svg $old" && exit 1; }
done
