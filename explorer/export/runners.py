"""How a clean process loads each kind of file and runs it: source that is handed to a fresh, confined Python.

`given` holds the images as .npy, `made` takes the logits as .npy, `path` names the file in the folder of the process
and `batch` is the size of a batch; what is imported before `ready()` is trusted, see `explorer.confined`. Where a file
needs no code of this project, importing it there fails.
"""

from __future__ import annotations

_WITHOUT_US = 'import sys\nsys.modules["explorer"] = None  # whoever imports it fails\n'

_TORCH = """
import numpy
import torch
{imports}
ready()
images = torch.from_numpy(numpy.load(given))
{load}
with torch.inference_mode():
    logits = torch.cat([network(x) for x in images.split(batch)])
numpy.save(made, logits.float().numpy())
"""

_MODEL = """
spec = importlib.util.spec_from_file_location("model", path)
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)
network = model.load()
"""

SAFETENSORS = _TORCH.format(imports="from explorer.export import load_pruned", load="network = load_pruned(path)")
MODEL = _WITHOUT_US + _TORCH.format(imports="import importlib.util", load=_MODEL)
PT2 = _WITHOUT_US + _TORCH.format(imports="import torch.export", load="network = torch.export.load(path).module()")
ONNX = (
    _WITHOUT_US
    + """
import numpy
import onnxruntime
ready()
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
name, images = session.get_inputs()[0].name, numpy.load(given)
parts = [images[start : start + batch] for start in range(0, len(images), batch)]
numpy.save(made, numpy.concatenate([session.run(None, {name: part})[0] for part in parts]))
"""
)
