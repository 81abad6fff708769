import torch

x = torch.tensor([1.0, 2.0])
w = torch.tensor([3.0, 4.0], requires_grad=True)
w.register_hook(lambda grad: 10 * grad)
(w * x).sum().backward()
print(w.grad)
