import torch

w = torch.tensor([0.5, 1.3], requires_grad=True)
y = w * torch.tensor([2.0, 3.0])
rounded = torch.round(y)
loss = ((rounded - 5.0) ** 2).sum()
loss.backward()
print(rounded, w.grad)
