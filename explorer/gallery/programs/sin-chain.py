import torch

x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
y = torch.sin(x * x).sum()
y.backward()
print(x.grad)
