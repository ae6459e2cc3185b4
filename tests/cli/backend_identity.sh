#!/bin/sh
# backend_identity.sh BUILD - a run with a learned policy gives the same bytes whatever runs its
# network: the CPU twin, the kernel on fibers, and the cuda backend on the driver of the tests.
set -e
cd "$(dirname "$0")/../.."
malv=$PWD/$1/malv
driver=$PWD/$1/tests/gpu-kernels/fake/libcuda.so.1
experiment=$PWD/tests/cli/backends.json
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

"$malv" run "$experiment" -q --backend cpu -o cpu.h5
"$malv" run "$experiment" -q --backend emu -o emu.h5
cmp cpu.h5 emu.h5
grep -q '"emu' emu.h5.run.json

if MALV_LIBCUDA=$driver "$malv" run "$experiment" -q --backend cuda -o cuda.h5; then
    cmp cpu.h5 cuda.h5
    grep -q 'cuda (PTX interpreter)' cuda.h5.run.json # it did not fall back
else
    echo "cuda: built without PTX, left out"
fi
