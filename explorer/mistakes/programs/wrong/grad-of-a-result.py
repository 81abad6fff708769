import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = 3 * x
loss = (y * y).sum()
loss.backward()
print(x.grad, y.grad)
