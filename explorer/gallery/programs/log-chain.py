import torch

x = torch.tensor([0.0, 1.0, 3.0], requires_grad=True)
y = torch.log(1 + x**2).sum()
y.backward()
print(x.grad)
