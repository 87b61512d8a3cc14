#!/usr/bin/env bash
# check-nccl.sh [RANKS]: checks sums by NCCL between CUDA devices, a rank for each, and a training step with them.
# Needs an NVIDIA driver, NCCL 2 (libnccl2), an MPI with its launcher, and TorchSharp's CUDA packages in the registry; where these are not to be
# had, publish this project and run it against the libtorch of a Python torch, with BUILT=folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
devices=$(nvidia-smi --list-gpus | wc -l)
ranks=${1:-$devices}
[ "$ranks" -le "$devices" ] || { echo "There are $devices CUDA devices for $ranks ranks: NCCL needs one for each." >&2; exit 2; }
built=${BUILT:-}
if [ -z "$built" ]; then
    dotnet build -c Release -p:TorchBackend=cuda-linux tests/Ranks
    built=tests/Ranks/bin/Release/net10.0
fi
program=("$built/MaskBias.MLNet.Ranks")
[ -x "${program[0]}" ] || program=(dotnet "$built/MaskBias.MLNet.Ranks.dll")
"${program[@]}" nccl
[ "$ranks" -lt 2 ] || mpirun -np "$ranks" "${program[@]}" nccl
