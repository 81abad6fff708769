import torch

w = torch.tensor(1.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1, weight_decay=0.5)
loss = 3 * w
loss.backward()
optimizer.zero_grad()
optimizer.step()
print(w.grad, w.item())
