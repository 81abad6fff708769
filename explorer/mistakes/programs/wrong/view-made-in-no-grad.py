import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = 2 * x
with torch.no_grad():
    head = y[:2]
head += 1
y.sum().backward()
print(x.grad)
