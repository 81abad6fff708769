import torch

x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
rows = torch.tensor([0, 2, 2])
y = x[rows].sum()
y.backward()
print(x.grad)
