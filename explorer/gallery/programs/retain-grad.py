import torch

x = torch.tensor(2.0, requires_grad=True)
u = x * x
u.retain_grad()
y = 3 * u
y.backward()
print(u.grad, x.grad)
