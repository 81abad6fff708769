import torch

w = torch.tensor(1.0, requires_grad=True)
for step in range(2):
    w.grad.zero_()
    loss = (w - 3) ** 2
    loss.backward()
    print(w.grad)
