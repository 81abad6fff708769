import torch

x = torch.tensor([[1.0, 2.0], [2.0, 0.0], [-1.0, -1.0]])
target = torch.tensor([1.0, 1.0, 0.0])
w = torch.tensor([0.0, 0.0], requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)
p = torch.sigmoid(x @ w + b)
loss = torch.nn.functional.binary_cross_entropy(p, target)
loss.backward()
print(w.grad, b.grad)
