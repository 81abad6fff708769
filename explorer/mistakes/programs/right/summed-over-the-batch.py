import torch

x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [0.0, 1.0, 2.0]])
b = torch.zeros(3, requires_grad=True)
loss = (x.mean(0) + b).sum()
loss.backward()
print(b.grad)
