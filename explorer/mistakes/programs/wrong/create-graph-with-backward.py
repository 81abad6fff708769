import torch

x = torch.tensor(2.0, requires_grad=True)
y = x ** 3
y.backward(create_graph=True)
penalty = x.grad ** 2
print(x.grad, penalty)
