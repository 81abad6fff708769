import torch

x = torch.arange(3.0)
x.requires_grad_(True)
h = x.sum()
h.backward()
print(x.grad)
