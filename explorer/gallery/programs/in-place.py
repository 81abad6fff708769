import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x * 2
y[0] = 10.0
y.mul_(3)
z = y.sum()
z.backward()
print(x.grad)
