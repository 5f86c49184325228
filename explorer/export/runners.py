"""How a clean process loads each kind of file and runs it: source that is handed to a fresh Python.

The arguments are the file, inputs.npy, where the logits go as .npy, and the size of a batch. Where a file needs no
code of this project, importing it there fails.
"""

from __future__ import annotations

_WITHOUT_US = 'import sys\nsys.modules["explorer"] = None  # whoever imports it fails\n'

_TORCH = """
import sys
import numpy
import torch
path, inputs, outputs, batch = sys.argv[1:]
{load}
with torch.inference_mode():
    images = torch.from_numpy(numpy.load(inputs))
    logits = torch.cat([network(x) for x in images.split(int(batch))])
numpy.save(outputs, logits.float().numpy())
"""

_MODEL = """
import importlib.util
spec = importlib.util.spec_from_file_location("model", path)
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)
network = model.load()
"""

SAFETENSORS = _TORCH.format(load="from explorer.export import load_pruned\nnetwork = load_pruned(path)")
MODEL = _WITHOUT_US + _TORCH.format(load=_MODEL)
PT2 = _WITHOUT_US + _TORCH.format(load="network = torch.export.load(path).module()")
ONNX = (
    _WITHOUT_US
    + """
import numpy
import onnxruntime
path, inputs, outputs, batch = sys.argv[1:]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
name, images = session.get_inputs()[0].name, numpy.load(inputs)
parts = [images[start : start + int(batch)] for start in range(0, len(images), int(batch))]
numpy.save(outputs, numpy.concatenate([session.run(None, {name: part})[0] for part in parts]))
"""
)
