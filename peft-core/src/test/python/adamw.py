"""Makes the numbers of LossContract.adamWAsInPyTorch. Made with torch 2.15.0 on the CPU."""
import torch

parameter = torch.nn.Parameter(torch.tensor([1, -0.5, 0.25, 2], dtype=torch.float32))
optimizer = torch.optim.AdamW([parameter], lr=0.01, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.1, foreach=False)
for step in range(1, 6):
    gradient = torch.tensor([0.1 * step, -2.0 * step, 1e-4 * step, 0], dtype=torch.float32)
    parameter.grad = gradient * 0.5
    optimizer.step()
print(torch.__version__, ", ".join(f"{x:.9g}f" for x in parameter.tolist()))
