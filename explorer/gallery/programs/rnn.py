import torch

x = torch.tensor([1.0, 0.0, -1.0])
w = torch.tensor(0.5, requires_grad=True)
u = torch.tensor(1.0, requires_grad=True)
h = torch.tensor(0.0)
for t in range(3):
    h = torch.tanh(w * h + u * x[t])
loss = h**2
loss.backward()
print(w.grad, u.grad)
