import torch

x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
first, second = (2 * x).split(2)
first += 1
(first * second).sum().backward()
print(x.grad)
