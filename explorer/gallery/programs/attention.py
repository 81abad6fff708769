import torch
import math

q = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
k = torch.tensor([[1.0, 0.0], [1.0, 1.0]], requires_grad=True)
v = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
scores = q @ k.T / math.sqrt(2)
weights = torch.softmax(scores, dim=1)
out = weights @ v
loss = out.sum()
loss.backward()
print(q.grad)
print(k.grad)
print(v.grad)
