#!/bin/sh
# sweep_identity.sh BUILD - one sweep of 200 trials in every layout gives the same bytes:
# one worker, two, three ranks of MPI, other backends, and killed five times and gone on.
set -e
cd "$(dirname "$0")/../.."
malv=$PWD/$1/malv
sweep=$PWD/tests/cli/sweep.json
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

same() { # name: the file of that layout equals the first
    cmp "$1.h5" one.h5 || { echo "$1: other bytes"; exit 1; }
    if command -v h5diff >/dev/null; then
        h5diff "$1.h5" one.h5 || { echo "$1: h5diff finds differences"; exit 1; }
    fi
    [ ! -e "$1.h5.journal" ] || { echo "$1: the journal is still there"; exit 1; }
    echo "$1: same"
}

size() { stat -c %s "$1" 2>/dev/null || echo 0; }

"$malv" run "$sweep" -q -o one.h5
"$malv" sweep "$sweep" -q -j 2 -o two.h5 && same two
"$malv" sweep "$sweep" -q -j 2 --backend cpu -o cpu.h5 && same cpu
"$malv" sweep "$sweep" -q -j 2 --backend emu -o emu.h5 && same emu

if command -v mpirun >/dev/null && [ -e "${malv%/*}/malv-mpi.so" ]; then
    # MPI itself leaves memory behind, which a sanitizer would make an error of.
    ASAN_OPTIONS=detect_leaks=0 mpirun --allow-run-as-root --oversubscribe -n 3 "$malv" sweep "$sweep" -q -o mpi.h5
    same mpi
else
    echo "mpi: not here, left out"
fi

# Five times: wait until the journal has grown by some trials, then kill the tool without warning.
kills=0
while [ $kills -lt 5 ]; do
    had=$(size killed.h5.journal)
    "$malv" sweep "$sweep" -q -j 1 -o killed.h5 &
    pid=$!
    while [ "$(size killed.h5.journal)" -lt $((had + 300000)) ] && kill -0 $pid 2>/dev/null; do
        sleep 0.005
    done
    kill -9 $pid 2>/dev/null || { echo "killed: it ended before kill $kills"; exit 1; }
    wait $pid 2>/dev/null || true
    kills=$((kills + 1))
done
"$malv" sweep "$sweep" -q -j 2 -o killed.h5
grep -q '"resumed": 0' killed.h5.run.json && { echo "killed: nothing was resumed"; exit 1; }
same killed
