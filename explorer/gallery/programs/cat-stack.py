import torch

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.tensor([3.0, 4.0], requires_grad=True)
weights = torch.tensor([1.0, 10.0, 100.0, 1000.0])
joined = torch.cat([a, b])
piled = torch.stack([a, b])
y = (joined * weights).sum() + piled.sum()
y.backward()
print(a.grad, b.grad)
