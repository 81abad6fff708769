import torch

layer = torch.nn.Linear(2, 1)
y = layer(torch.tensor([[1.0, 2.0]]))
y.sum().backward()
node = y.grad_fn
print(node.name())
bias = node.next_functions[0][0]
print(bias.name())
print(bias.variable)
