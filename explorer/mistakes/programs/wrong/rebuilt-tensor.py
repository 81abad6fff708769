import torch

x = torch.tensor(2.0, requires_grad=True)
parts = torch.tensor([3 * x, x])
loss = parts.sum() + x
loss.backward()
print(x.grad)
