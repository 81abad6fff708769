import torch

w = torch.tensor(3.0, requires_grad=True)
prediction = (2 * w).detach()
loss = (prediction - 5.0) ** 2
loss.backward()
print(w.grad)
