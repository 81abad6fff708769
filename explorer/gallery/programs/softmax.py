import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
p = torch.softmax(x, dim=0)
y = p[2]
y.backward()
print(p)
print(x.grad)
