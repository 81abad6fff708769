import torch

x = torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 9.0]], requires_grad=True)
weight = torch.ones(3, requires_grad=True)
bias = torch.zeros(3, requires_grad=True)
out = torch.nn.functional.layer_norm(x, (3,), weight, bias)
y = (out * torch.tensor([1.0, 0.0, 0.0])).sum()
y.backward()
print(x.grad)
print(weight.grad, bias.grad)
