import torch

torch.manual_seed(0)
x = torch.tensor([[1.0, 2.0]], requires_grad=True)
layer = torch.nn.Linear(2, 1)
out = layer(x)
loss = (out**2).sum()
loss.backward()
print(x.grad)
print(layer.weight.grad, layer.bias.grad)
