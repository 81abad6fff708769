import torch

x = torch.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
weight = torch.tensor([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]], requires_grad=True)
bias = torch.tensor([0.5, -0.5], requires_grad=True)
out = torch.nn.functional.linear(x, weight, bias)
loss = out.sum()
loss.backward()
print(weight.grad)
print(bias.grad)
