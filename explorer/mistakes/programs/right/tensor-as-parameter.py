import torch

layer = torch.nn.Linear(2, 1)
layer.weight = torch.nn.Parameter(torch.tensor([[1.0, 2.0]]))
x = torch.tensor([3.0, 4.0])
layer(x).sum().backward()
print(layer.weight.grad)
