import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
a = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
y = torch.dot(x, a @ x)
y.backward()
print(x.grad)
