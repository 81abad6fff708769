import torch

x = torch.tensor([[1.0, 2.0], [-1.0, 1.0]])
target = torch.tensor([[1.0], [0.0]])
w1 = torch.tensor([[1.0, -1.0], [0.5, 1.0]], requires_grad=True)
b1 = torch.zeros(2, requires_grad=True)
w2 = torch.tensor([[1.0], [2.0]], requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)
hidden = torch.relu(x @ w1 + b1)
out = hidden @ w2 + b2
loss = ((out - target) ** 2).mean()
loss.backward()
print(w1.grad)
print(w2.grad)
