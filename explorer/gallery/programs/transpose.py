import torch

x = torch.arange(6.0).reshape(2, 3).requires_grad_(True)
weights = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
y = (x.T * weights).sum()
y.backward()
print(x.grad)
