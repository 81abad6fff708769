import torch

x = torch.tensor([-2.0, 0.0, 2.0], requires_grad=True)
y = torch.sigmoid(x)
y.sum().backward()
print(x.grad)
