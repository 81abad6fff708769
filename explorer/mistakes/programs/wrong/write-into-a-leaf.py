import torch

w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
w[0] = 0.0
loss = (w * w).sum()
loss.backward()
print(w.grad)
