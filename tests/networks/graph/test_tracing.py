from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torch
from exported import logits, torchvision_network

from explorer.networks.graph.trace import trace
from explorer.networks.network import replica


def test_other_threads_run_networks_during_a_trace() -> None:
    traced, running = torchvision_network("shufflenet_v2_x0_5"), torchvision_network("squeezenet1_0")
    x = torch.randn(1, 3, 64, 64)
    copies = [running.module, replica(traced.module)]  # one unknown to the trace, one that shares its weights
    expected = [logits(module, x) for module in copies]
    done = threading.Event()

    def run() -> list[torch.Tensor]:
        outputs = []
        while not done.is_set() or not outputs:
            outputs += [logits(module, x) for module in copies]
        return outputs

    with ThreadPoolExecutor() as pool:
        runner = pool.submit(run)
        traces = [pool.submit(trace, traced.module, "net") for _ in range(6)]
        graphs = [job.result().graph for job in traces]
        done.set()
        outputs = runner.result()
    assert all(torch.equal(output, expected[i % 2]) for i, output in enumerate(outputs))
    assert all(graph == graphs[0] for graph in graphs)
