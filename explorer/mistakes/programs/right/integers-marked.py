import torch

x = torch.arange(3.0)
x.requires_grad_(True)
y = (x * x).sum()
y.backward()
print(x.grad)
