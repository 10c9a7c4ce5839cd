"""llama.cpp's own quantizer, called from a build of its library.

    python scripts/bench/llama_quantize.py DIR model-f32.gguf model.gguf 15 [--threads 1] [--imatrix matrix.gguf]

DIR has libllama.so and its parts, for example as the npm package @node-llama-cpp/linux-x64 brings them. The number is
llama.cpp's file type, for example 15 for Q4_K_M. Exit code 1 if the quantizer fails.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from pathlib import Path

import libgguf


class Entry(ctypes.Structure):
    """llama.h: struct llama_model_imatrix_data."""

    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t)]


class Params(ctypes.Structure):
    """llama.h: struct llama_model_quantize_params, as far as it is set here; longer than any version's."""

    _fields_ = [
        ("threads", ctypes.c_int32),
        ("file_type", ctypes.c_int32),
        ("types", ctypes.c_int32 * 2),
        ("switches", ctypes.c_bool * 8),
        ("imatrix", ctypes.POINTER(Entry)),
        ("rest", ctypes.c_uint8 * 64),
    ]


def main() -> int:
    """Quantize one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, help="folder of libllama.so")
    parser.add_argument("source", type=Path, help="GGUF file in F32, F16 or BF16")
    parser.add_argument("out", type=Path, help="the file to make")
    parser.add_argument("file_type", type=int, help="llama.cpp's number of the type")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--imatrix", type=Path, help="importance matrix as GGUF")
    options = parser.parse_args()
    library = ctypes.CDLL(str(next(options.library.glob("libllama.*so"))))
    library.llama_model_quantize_default_params.restype = Params
    params = library.llama_model_quantize_default_params()
    params.threads, params.file_type = options.threads, options.file_type
    if options.imatrix:
        params.imatrix = entries(options.imatrix)
    paths = (str(path).encode() for path in (options.source, options.out))
    return int(library.llama_model_quantize(*paths, ctypes.byref(params)))


def entries(path: Path) -> ctypes.Array[Entry]:
    """The importance matrix as llama.cpp takes it; an empty entry ends it."""
    loaded = libgguf.load_imatrix(path)
    found = (Entry * (len(loaded) + 1))()
    for entry, (name, values) in zip(found, loaded.items(), strict=False):
        numbers = (ctypes.c_float * values.size).from_buffer(values)
        entry.name, entry.data, entry.size = name.encode(), numbers, values.size
    return found


if __name__ == "__main__":
    sys.exit(main())
