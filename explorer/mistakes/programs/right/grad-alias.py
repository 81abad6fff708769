import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
(x ** 2).sum().backward()
first = x.grad.clone()
x.grad.zero_()
(x ** 3).sum().backward()
print(first, x.grad)
