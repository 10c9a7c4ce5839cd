#!/usr/bin/env bash
# Starts one machine's share of a training run; the same command on every machine, which differ in NODE_RANK only:
#
#   NODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 scripts/launch_node.sh recipes/accelerate/zero3.yaml RECIPE [key=value ...]
#   NODES=2 NODE_RANK=1 MASTER_ADDR=10.0.0.1 scripts/launch_node.sh recipes/accelerate/zero3.yaml RECIPE [key=value ...]
#
#   NODES                machines
#   NODE_RANK            this machine's number, from 0; under srun, which starts one of these a machine, its task's
#   MASTER_ADDR          address of machine 0, that the others reach
#   MASTER_PORT          a free port there; default 29500
#   PROCESSES_PER_NODE   GPUs of a machine; default 8
#
# Machines need the same checkout, environment and paths, and a file system they share for `out`.
set -euo pipefail

if (($# < 2)); then
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
: "${NODES:?set NODES to the number of machines}"
: "${MASTER_ADDR:?set MASTER_ADDR to the address of machine 0}"
node_rank=${NODE_RANK:-${SLURM_PROCID:?set NODE_RANK to the number of this machine, from 0}}
config=$1
shift

cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec accelerate launch --config_file "$config" \
    --num_machines "$NODES" --num_processes "$((NODES * ${PROCESSES_PER_NODE:-8}))" \
    --machine_rank "$node_rank" --main_process_ip "$MASTER_ADDR" --main_process_port "${MASTER_PORT:-29500}" \
    scripts/train.py "$@"
