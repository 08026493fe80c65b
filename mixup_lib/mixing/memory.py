"""Where mixed batches are written: memory formats, large fresh memory, checks of ``out``.

At ImageNet size the memory costs more than the arithmetic. Above 32 MB the C library returns every
freed block to the system, so each new batch would be mapped again, one page fault per 4 KB.
"""

from __future__ import annotations

import mmap
from contextlib import suppress

import torch
from torch import Tensor

__all__ = ["check_out", "gather", "paste"]

_LARGE = 32 * 2**20  # bytes; glibc's DEFAULT_MMAP_THRESHOLD_MAX
_GRAIN = 32768  # entries; at::internal::GRAIN_SIZE
_HUGE_PAGES: int = getattr(mmap, "MADV_HUGEPAGE", 0)  # Linux only; 0 elsewhere


def gather(x: Tensor, axis: int, index: Tensor, out: Tensor | None = None) -> Tensor:
    """``x`` indexed along ``axis``, in x's memory format, into ``out`` or new memory."""
    large = out is None and _is_large(x)
    if x.is_contiguous() and not large:
        return _pick(x, axis, index, out)
    order, back = _memory_order(x)  # index_select would drop channels_last
    rows, axis = x.permute(order), order.index(axis)
    if out is not None:
        _pick(rows, axis, index, out.permute(order))
        return out
    if large:
        with suppress(RuntimeError):  # autograd, forward derivatives and vmap take no out=
            return _pick(rows, axis, index, _huge(rows)).permute(back)
    return _pick(rows, axis, index).permute(back)


def _pick(rows: Tensor, axis: int, index: Tensor, out: Tensor | None = None) -> Tensor:
    """``index_select``, but with one start of the threads for the whole batch.

    On the CPU, index_select starts them anew for each row longer than its grain. Beside busy loader
    workers every start waits for a time slice, and mixing takes ten times as long.
    """
    short = torch.compiler.is_compiling() or rows.numel() <= _GRAIN * len(rows)
    dense = rows.is_contiguous() and (out is None or out.is_contiguous())
    if short or axis != 0 or not dense or not rows.is_cpu:
        return torch.index_select(rows, axis, index, out=out)
    flat = rows.flatten(1)
    index = index.unsqueeze(1).expand_as(flat)
    if out is None:
        return torch.gather(flat, 0, index).view(rows.shape)
    torch.gather(flat, 0, index, out=out.flatten(1))
    return out


def paste(mask: Tensor, source: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """``source`` where ``mask``, else ``x``, in x's memory format; ``out`` may be ``source``."""
    order, back = _memory_order(x)  # the mask's own layout would win otherwise
    mask = mask.permute(order).contiguous()
    if out is not None:
        torch.where(mask, source.permute(order), x.permute(order), out=out.permute(order))
        return out
    return torch.where(mask, source.permute(order), x.permute(order)).permute(back)


def _is_large(x: Tensor) -> bool:
    # Asked first: a compiler knows no number of bytes where sizes are symbols.
    return not torch.compiler.is_compiling() and x.nbytes > _LARGE and x.is_cpu and _HUGE_PAGES != 0


def _memory_order(x: Tensor) -> tuple[list[int], list[int]]:
    """The axes from the outermost in memory to the innermost, and the way back."""
    order = sorted(range(x.ndim), key=x.stride().__getitem__, reverse=True)
    return order, sorted(range(x.ndim), key=order.__getitem__)


def _huge(x: Tensor) -> Tensor:
    """New contiguous memory of x's shape and dtype on 2 MB pages, where the system grants them."""
    memory = mmap.mmap(-1, x.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        memory.madvise(_HUGE_PAGES)
    return torch.frombuffer(memory, dtype=x.dtype).view(x.shape)


def check_out(out: Tensor, x: Tensor) -> None:
    """Raises ValueError unless ``out`` can take the mixture of ``x``."""
    if out.shape != x.shape or out.dtype != x.dtype or out.device != x.device:
        raise ValueError(
            f"out has shape {tuple(out.shape)}, dtype {out.dtype}, device {out.device}; "
            f"valid is that of x: {tuple(x.shape)}, {x.dtype}, {x.device}"
        )
    if torch.is_grad_enabled() and (out.requires_grad or x.requires_grad):
        name = "out" if out.requires_grad else "x"
        raise ValueError(
            f"{name} needs gradients, which out= excludes; valid: out=None, or torch.no_grad()"
        )
    if x.numel() and _bytes(out)[0] < _bytes(x)[1] and _bytes(x)[0] < _bytes(out)[1]:
        raise ValueError("out overlaps x in memory; valid is a buffer of its own")


def _bytes(x: Tensor) -> tuple[int, int]:
    extent = sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True)) + 1
    return x.data_ptr(), x.data_ptr() + extent * x.element_size()
