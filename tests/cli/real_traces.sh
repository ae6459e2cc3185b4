#!/bin/sh
# real_traces.sh BUILD [SECONDS] - the real traces, where they are: the same bytes twice, on one
# worker and two, and on every backend that this machine can have.  SECONDS: shorter windows.
set -e
cd "$(dirname "$0")/../.."
malv=$PWD/$1/malv
root=$PWD
data=${MALV_DATA:-../shared/traces}
window=${2:+--set trace.window.length_s=$2}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

try() { # experiment, file below the data folder
    if [ ! -e "$data/$2" ]; then
        echo "$1: $2 is not here, left out"
        return
    fi
    x=$root/experiments/$1.json
    "$malv" run "$x" -q $window --trials 1 -o "$dir/one.h5"
    "$malv" run "$x" -q $window --trials 1 -o "$dir/again.h5"
    "$malv" sweep "$x" -q $window --trials 1 -j 2 -o "$dir/two.h5"
    "$malv" sweep "$x" -q $window --trials 1 -j 2 --backend cpu -o "$dir/cpu.h5"
    "$malv" sweep "$x" -q $window --trials 1 -j 2 --backend emu -o "$dir/emu.h5"
    for other in again two cpu emu; do
        cmp "$dir/one.h5" "$dir/$other.h5" || { echo "$1: $other has other bytes"; exit 1; }
    done
    rm "$dir"/*.h5
    echo "$1: same"
}

try azure-code azure-llm-2023/AzureLLMInferenceTrace_code.csv
try mooncake-conversation mooncake-fast25/conversation_trace.jsonl.xz
