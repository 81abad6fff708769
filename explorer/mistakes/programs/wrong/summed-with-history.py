import torch

w = torch.tensor(4.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
total = 0.0
for step in range(3):
    optimizer.zero_grad()
    loss = w ** 2
    loss.backward()
    optimizer.step()
    total += loss
print(total / 3)
