import torch

x = torch.arange(3.0)
x.requires_grad_(True)
m = 2 * torch.dot(x, x)
m.backward()
print(x.grad)
