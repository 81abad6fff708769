import torch

x = torch.tensor(2.0, requires_grad=True)
y = x.exp()
shown = y.data
shown.mul_(100)
print(shown)
y.backward()
print(x.grad)
