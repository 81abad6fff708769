import torch

w = torch.tensor(3.0, requires_grad=True)
error = (2 * w - 5.0) ** 2
loss = error
loss.backward()
print(w.grad)
