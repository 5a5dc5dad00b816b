"""Compile every kernel for a GPU that need not be there, in the tiles that a GPU would run."""

from __future__ import annotations

import inspect
import sys

from triton import compile as build
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from neurodecode_kernels.routed_attention import triton as routed
from neurodecode_kernels.soft_clip import triton as contrast
from neurodecode_kernels.subject_linear import adamw_triton as adamw
from neurodecode_kernels.subject_linear import triton as linear

TARGET = GPUTarget("cuda", 90, 32)
#: Shared memory of one block, in bytes.
SHARED = 232448
INTEGERS = {
    "n_items", "dim", "first", "last", "n_heads", "n_queries", "n_tokens", "n",
}  # fmt: skip
SINGLE = {"row_norm", "column_norm", "weight_norm", "row_mean", "seen", "norm", "mean", "scale_at"}
FLOATS = {"scale", "shrink", "rate", "correct", "second", "eps"}
OTHER = {"groups": "*i64", "tiles": "*i32", "mask": "*u8"}


def kind(name: str, dtype: str, float_first: bool) -> str:
    if name == "first":
        return "fp32" if float_first else "i32"
    if name in INTEGERS:
        return "i32"
    if name in FLOATS:
        return "fp32"
    return OTHER.get(name) or ("*fp32" if name in SINGLE else f"*{dtype}")


def try_one(function, dtype: str, tile: dict, constants: dict, float_first: bool = False) -> str:
    options = {key: tile[key] for key in ("num_warps", "num_stages") if key in tile}
    constants = constants | {key: value for key, value in tile.items() if key not in options}
    names = list(inspect.signature(function.fn).parameters)
    signature = {
        name: "constexpr" if name in constants else kind(name, dtype, float_first)
        for name in names
    }  # fmt: skip
    # addresses and sizes that torch and the benchmarks give are multiples of 16
    wide = [i for i, name in enumerate(names) if signature[name].startswith("*")]
    wide += [i for i, name in enumerate(names) if name in ("dim", "n_tokens", "n_items")]
    attributes = {(i,): [["tt.divisibility", 16]] for i in wide}
    source = ASTSource(function, signature, constants, attributes)
    made = build(source, target=TARGET, options=options)
    shared = made.metadata.shared
    assert shared <= SHARED, f"{function.fn.__name__} {dtype} {tile}: {shared} bytes of {SHARED}"
    return f"{function.fn.__name__} {dtype} {constants}: {shared} bytes shared"


def main() -> int:
    for dtype, precision in (("bf16", "ieee"), ("fp32", "tf32x3")):
        for soft in (True, False):
            choices = {"SOFT": soft, "PRECISION": precision}
            tile = contrast._tiles(768)
            print(try_one(contrast._statistics, dtype, tile, choices))
            print(try_one(contrast._pull, dtype, tile, choices | {"BOTH": True}))
    for dtype in ("bf16", "fp32"):
        size = 2 if dtype == "bf16" else 4
        for n_tokens, dim in ((256, 64), (512, 64), (256, 128), (4096, 64)):
            tile, masked = routed._tiles(n_tokens, dim, size), {"MASKED": True}
            single = {"SINGLE": tile["BLOCK_P"] >= n_tokens}
            print(try_one(routed._forward, dtype, tile, masked | single))
            print(try_one(routed._of_queries, dtype, tile, masked))
            tile = tile | {"BLOCK_P": min(tile["BLOCK_P"], 64)}
            print(try_one(routed._of_tokens, dtype, tile, masked))
            print(try_one(routed._map, dtype, tile, masked))
        for rows in (4, 32, 64, 256):
            choices = {
                "FLIP_LEFT": rows == 32, "FLIP_RIGHT": rows == 64, "ALIGNED": True,
                "EVEN": True, "BIAS": True, "ACTIVATION": "gelu", "PRECISION": "ieee",
            }  # fmt: skip
            print(try_one(linear._product, dtype, linear._tiles(rows), choices))
        print(try_one(adamw._adamw, dtype, {"BLOCK": 1024}, {}, float_first=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
