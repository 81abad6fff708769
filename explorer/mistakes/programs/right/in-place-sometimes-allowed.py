import torch

x = torch.tensor([-1.0, 1.0, 2.0], requires_grad=True)
a = x * 10
a.add_(1)
b = torch.relu(x)
b = b + 1
(a + b).sum().backward()
print(x.grad)
