#!/usr/bin/env bash
# run.sh [PART...]: builds the CUDA program and runs its parts: checks, rates, curves, python (the same steps in PyTorch), nccl. All without a name.
# Needs an NVIDIA driver and TorchSharp's CUDA packages in the registry. Where these are not to be had, publish Cuda and Ranks self-contained without
# libtorch, and run them against the libtorch of a Python torch: BUILT=folder, and LD_LIBRARY_PATH with the folder of its libraries.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
built=${BUILT:-}
if [ -z "$built" ]; then
    dotnet build -c Release -p:TorchBackend=cuda-linux tests/Cuda || exit 1
    built=tests/Cuda/bin/Release/net10.0
fi
status=0
part() { echo "== $1"; shift; "$@" || status=1; }
for name in "${@:-checks rates python curves nccl}"; do
    for one in $name; do
        case $one in
            checks | curves) part "$one" "$built/MaskBias.MLNet.Cuda" "$one" ;;
            rates) for what in dino mae fit; do part "rates $what" "$built/MaskBias.MLNet.Cuda" rates "$what"; done ;;
            python) part python python3 tests/Cuda/steps.py ;;
            nccl) BUILT=$built part nccl tests/Ranks/check-nccl.sh ;;
            *) echo "There is no part $one: checks, rates, curves, python, nccl." >&2; exit 2 ;;
        esac
    done
done
exit $status
