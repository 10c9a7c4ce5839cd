"""Tensors into a GGUF file: read in slices of rows, encoded by threads, written in order.

Memory holds a few slices for each thread, whatever the size of the model or of a tensor.
"""

from __future__ import annotations

import math
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from data_pipeline.core.errors import InputError
from xlam_train.export.mixes import tensor_type
from xlam_train.export.quants import encode_rows, row_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from xlam_train.export.importance import Importance
    from xlam_train.export.mixes import Model
    from xlam_train.export.quants import Quantization
    from xlam_train.export.tensors import TensorSource

_SLICE_VALUES = 1 << 20  # 4 MB in F32: long enough to make Python's share small
_F16_MAX = 65504.0


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor of the file.

    Attributes:
        source: its name, its shape, and how to read its rows.
        kind: type in the file.
        importance: weight of each column's error, [experts or 1, columns], or None.
    """

    source: TensorSource
    kind: gguf.GGMLQuantizationType
    importance: NDArray[np.float32] | None = None

    @property
    def rows(self) -> int:
        """Rows of all experts together; a vector is one."""
        return math.prod(self.source.shape[:-1])

    @property
    def bytes(self) -> int:
        """Size in the file, without padding."""
        return self.rows * row_bytes(self.kind, self.source.shape[-1])


def plan_tensors(
    sources: list[TensorSource], quantization: Quantization, model: Model, importance: Importance | None = None
) -> list[PlannedTensor]:
    """The type of every tensor of a file, in the order of the file.

    Args:
        sources: the tensors under their names in the file.
        quantization: of the file.
        model: what the mix depends on.
        importance: of the columns of each matrix, measured on this model.

    Raises:
        InputError: the importance is another model's.
    """
    plan = []
    for source in sources:
        kind = tensor_type(source.name, source.shape, quantization, model)
        weights = importance.of(source.name, source.shape) if importance is not None else None
        plan.append(PlannedTensor(source, kind, weights))
    return plan


def write_tensors(
    writer: gguf.GGUFWriter, path: Path, plan: list[PlannedTensor], model_dir: Path, threads: int | None = None
) -> None:
    """Write the header and every tensor of the plan, and push the file to the disk.

    Args:
        writer: has the metadata; it is closed at the end.
        path: the file to make.
        plan: tensors in the order of the file.
        model_dir: where they come from, for messages.
        threads: that read and encode, by default one for each CPU this process may use.

    Raises:
        InputError: NaN or infinite values, or values too large for F16.
    """
    for tensor in plan:
        writer.add_tensor_info(tensor.source.name, tensor.source.shape, np.dtype(np.float32), tensor.bytes, tensor.kind)
    try:
        writer.write_header_to_file(path)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        stream = writer.fout[0]
        writer.write_padding(stream, stream.tell())
        for last, piece in _pieces(plan, model_dir, threads or len(os.sched_getaffinity(0))):
            # Not ndarray.tofile: its error for a full disk carries no errno.
            stream.write(piece.data)
            if last is not None:
                writer.write_padding(stream, last.bytes)
        stream.flush()
        os.fsync(stream.fileno())
    finally:
        writer.close()


def _pieces(
    plan: list[PlannedTensor], model_dir: Path, threads: int
) -> Iterator[tuple[PlannedTensor | None, NDArray[Any]]]:
    """Encoded slices in the file's order, each with its tensor if it is the tensor's last."""
    waiting: deque[tuple[PlannedTensor | None, Future[NDArray[Any]]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="encode")
    try:
        for tensor in plan:
            for start, stop in slices(tensor):
                # One slice more than threads: none idles while the oldest is written, and no more pile up.
                if len(waiting) > threads:
                    last, piece = waiting.popleft()
                    yield last, piece.result()
                task = pool.submit(_encode, tensor, start, stop, model_dir)
                waiting.append((tensor if stop == tensor.rows else None, task))
        while waiting:
            last, piece = waiting.popleft()
            yield last, piece.result()
    finally:
        pool.shutdown(cancel_futures=True)


def slices(tensor: PlannedTensor) -> Iterator[tuple[int, int]]:
    """Rows [start, stop) of a tensor, about a million numbers each; none spans two experts' importance."""
    groups = 1 if tensor.importance is None else len(tensor.importance)
    size = tensor.rows // groups
    rows = max(1, _SLICE_VALUES // tensor.source.shape[-1] // tensor.source.step) * tensor.source.step
    for group in range(groups):
        for start in range(0, size, rows):
            yield group * size + start, group * size + min(start + rows, size)


def _encode(tensor: PlannedTensor, start: int, stop: int, model_dir: Path) -> NDArray[Any]:
    """A slice in the file's type."""
    source = tensor.source
    values = source.read(start, stop)
    assert values.shape == (stop - start, source.shape[-1]), (source.name, values.shape)
    largest = float(np.maximum(values.max(initial=0), -values.min(initial=0)))  # abs() would copy the slice
    if not math.isfinite(largest):
        raise InputError(f"{model_dir}: {source.name} has NaN or infinite values; export an earlier checkpoint")
    if tensor.kind == gguf.GGMLQuantizationType.F16 and largest > _F16_MAX:
        raise InputError(f"{model_dir}: {source.name} has values beyond F16 ({largest:.3g}); export as bf16 or f32")
    weights = tensor.importance
    encoded = encode_rows(
        values, tensor.kind, None if weights is None else weights[start * len(weights) // tensor.rows]
    )
    assert encoded.nbytes == (stop - start) * row_bytes(tensor.kind, source.shape[-1]), source.name
    return encoded
