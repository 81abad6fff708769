import torch

x = torch.arange(3.0)
y = (x * x).sum()
y.backward()
print(x.grad)
