import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
h = x.exp()
first = h.sum()
second = (h * h).sum()
loss = first + second
loss.backward()
print(x.grad)
