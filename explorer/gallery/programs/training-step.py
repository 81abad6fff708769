import torch

x = torch.tensor([1.0, 2.0, 3.0])
target = torch.tensor([2.0, 4.0, 6.0])
lr = 0.1
w = torch.tensor(0.0, requires_grad=True)
loss = ((w * x - target) ** 2).mean()
loss.backward()
with torch.no_grad():
    w -= lr * w.grad
print(w.grad, w)
