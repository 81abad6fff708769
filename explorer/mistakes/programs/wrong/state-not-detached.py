import torch

w = torch.tensor(0.5, requires_grad=True)
h = torch.tensor(1.0)
for x in (1.0, 2.0):
    w.grad = None
    h = torch.tanh(w * h + x)
    h.backward()
    print(w.grad)
