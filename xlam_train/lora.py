"""peft's LoRA layer without the passes over memory that a CPU feels."""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import Linear


class LeanLoraLinear(Linear):  # type: ignore[misc]  # peft is untyped here
    """The same sum `W x + scaling * B A x`, with three passes over a [T, out] tensor instead of five.

    peft scales the wide result and adds it into a new tensor; here the narrow A x is scaled and the sum is
    made in place. It also raises bf16 inputs to the adapters' fp32, which autocast lowers again: a quarter of
    a CPU step; here only where there is no autocast, as in generation. Names and shapes of the weights are
    peft's, and so are merging and saving.
    """

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """[..., in] -> [..., out]; anything but one plain active adapter, such as DoRA, is left to peft."""
        active = [name for name in self.active_adapters if name in self.lora_A]
        result: torch.Tensor
        if self.disable_adapters or self.merged or len(active) != 1 or active[0] in self.lora_variant or kwargs:
            result = super().forward(x, *args, **kwargs)
            return result
        (name,) = active
        result = self.base_layer(x)
        if not torch.is_autocast_enabled(x.device.type):
            x = x.to(self.lora_A[name].weight.dtype)
        low = self.lora_A[name](self.lora_dropout[name](x)) * self.scaling[name]
        return result.add_(self.lora_B[name](low))
