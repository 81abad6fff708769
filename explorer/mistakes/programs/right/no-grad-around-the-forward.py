import torch

w = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(1.0, requires_grad=True)
h = 3 * w
loss = (h + b) ** 2
loss.backward()
print(w.grad, b.grad)
