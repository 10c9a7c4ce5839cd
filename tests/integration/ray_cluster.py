"""Runs a data job on a Ray cluster of two local nodes and kills one of them on the way.

    python ray_cluster.py RECIPE OUT

A process of its own, because Ray leaves threads and signal handlers behind.
"""

import sys
import threading
import time
from pathlib import Path

from ray.cluster_utils import Cluster

from data_pipeline.core.settings import load_settings
from data_pipeline.recipe import DataRecipe
from data_pipeline.run import generate


def kill_when_busy(cluster: Cluster, node: object, out: Path, shards: int) -> None:
    """Wait for the first shard, then kill the node without a chance to finish its task."""
    while not list(out.glob("manifest/*.json")):
        time.sleep(0.01)
    missing = shards - len(list(out.glob("manifest/*.json")))
    cluster.remove_node(node, allow_graceful=False)
    print(f"killed a node with {missing} shards missing")


def main() -> None:
    recipe, out = load_settings(DataRecipe, Path(sys.argv[1])), Path(sys.argv[2])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    killer = threading.Thread(target=kill_when_busy, args=(cluster, node, out, recipe.shards))
    killer.start()
    generate(recipe, out, engine="ray", ray_address=cluster.address)
    killer.join()
    cluster.shutdown()


if __name__ == "__main__":
    main()
