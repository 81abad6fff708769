import torch

x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
y = (x * x).sum()
y.backward()
print(x.is_leaf, x.grad)
